"""3DES and SM4 suites of both card families: diversification, session keys, MAC, TAC, authentication."""
