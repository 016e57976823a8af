"""What a card can do, in its users' words: holder, medical account, wallet, PIN."""
