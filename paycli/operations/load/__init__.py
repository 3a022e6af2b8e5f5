"""Load on the deployed API, and the proof that every payment of it was taken as its caller was told.

`run.py` is the way in. `worker.py` and `master.py` are processes of their own, in which gevent replaces what waits:
nothing else here may import them. `keeper.py` is one without.
"""
