"""JavaCard-based cards: secure channels, applets, keys and personal data by GlobalPlatform's commands (PERS §2).

    connection = CardConnection(channel)
    security_domain = select_security_domain(connection)
    manager = CardManager(open_channel(connection, keys, SecurityLevel.C_MAC | SecurityLevel.C_DEC))
    manager.load(CapFile.read(path))
    manager.install(Installation(load_file, module, instance))
    manager.personalize(instance, [Dgi(0x0101, b"…")])
    manager.put_keys(card_keys)
    manager.set_card_state(CardState.SECURED)

Put the result of a run on disk before `put_keys` and `set_card_state`: neither can be taken back, and a card whose keys
nobody knows locks itself after a few tries.
"""
