"""The money commands of both purses, and the evidence that a card keeps of them."""
