"""Graphs as drawings: what is shown (picture.py), where (layout.py), and in which format (SVG, HTML, Mermaid, DOT)."""
