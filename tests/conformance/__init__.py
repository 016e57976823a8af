"""The conformance list of SSC §10.3 over the virtual cards, one test a line of the list.

The tests speak in bytes, as a testing laboratory does; what they compare with is typed from the specification.
"""
