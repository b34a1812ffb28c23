"""Graphs and plans as pictures: boxes and arrows (`picture`), in Graphviz's language (`dot`) or drawn (`svg`)."""
