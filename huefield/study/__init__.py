"""A crowd decides which colouring looks real: what a study is, how it is laid out and analysed.

Nothing here knows of a database or of HTTP: `definition` reads what a researcher wrote, `pictures`
gathers what is shown, `schedule` chooses a person's trials, `export` is the form in which votes
leave the server, and `analysis` with `report` makes tables of them. `webapp.study` serves it.
"""
