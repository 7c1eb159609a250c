"""The service: runs over HTTP, over the same code and the same records as ``submit``.

A request is answered when its run is in the records; threads then run what is accepted (``engine``), with one model
server for all runs (``warm_server``). ``remote/`` is the other end: ``submit --to``.
"""
