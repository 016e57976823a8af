"""Whether the terminal is fit for its work, and how to mend what is not."""
