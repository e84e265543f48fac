"""Pictures: what is to be drawn, as data, and both ways to draw it.

marks.py has what stands on the axes of axis.py; chart.py has a chart, picture.py a picture of several; elements.py and
svg.py draw them as SVG text, figures.py on axes of matplotlib. colors.py has the colors of both, png.py the bytes of
images in SVG. bar_rows.py and grids.py make charts that several packages show; shown.py is what notebooks show.
"""
