"""Tables in files of many formats, read on the host for people. Not carried into the sandbox."""
