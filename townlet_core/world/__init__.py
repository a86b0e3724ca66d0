"""World: the town itself: state, map, affordances, queues, economy and employment."""
