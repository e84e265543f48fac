"""Graphs as drawings: what is shown (picture), where (layout), and how (svg, html, Mermaid, DOT)."""
