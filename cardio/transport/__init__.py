"""The seam to hardware: bytes in, bytes and status word out, over PC/SC, embedded readers or recordings."""
