"""Virtual cards, PSAMs, PIN pads and readers, as strict as real ones; for users' tests as for ours."""
