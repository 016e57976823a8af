"""Keys and secure channels of GlobalPlatform cards, for both ends: SCP02 and SCP03 (PERS §2.1 to §2.4)."""
