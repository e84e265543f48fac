"""Graphs as drawings: what is shown (picture.py), where (layout.py), and in which format.

svg.py draws SVG and HTML; diagram_languages.py writes Mermaid and DOT.
"""
