"""A version in other forms: files for other runtimes, each proved to give the same answers as Keras.

A target is a module here and a line in `targets.py`.
"""
