"""Commands and responses as values, status words by command, GET RESPONSE and wrong lengths, TLV, ATR."""
