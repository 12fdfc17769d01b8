"""The report card of a candidate: what `evaluate` measured, as one page, one image and a model card.

It takes files and arrays, and neither measures nor trains. `reading` knows the files, `page` puts the page together of
what `sections`, `curves` and `failures` give, `results` draws the image, and `model_card` writes the Markdown.
"""
