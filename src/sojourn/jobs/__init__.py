"""What the commands do, without the terminal: each job gives a result that can be told, stored and drawn.

`inspection` describes a log, `attention` says what of it was seen, `valuation` what policies would earn on it (made by
`estimating`), `promotion` whether one should take the place of another (made by `comparing`), `rehearsal` what they
pick up among the shown items, `learning` how they fare in a simulated feed, and `living` in one where each learns from
its own logs; `living_demo` is the engine and its halves there, in one chart.
The jobs of `sessions` plan whole stays. `demo` runs what a newcomer should see, and `open_bandit` prepares the data it
runs on.
Every result has ``to_dict()`` for scripts and ``section()`` for the report.
"""
