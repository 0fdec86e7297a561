"""Looking at raw files, in the sandbox: what they hold, and the steps that would read them.

It is carried into the sandbox beside the steps and reads with them, so that what it finds is what a
build would see. Nothing of it is in a build key.
"""
