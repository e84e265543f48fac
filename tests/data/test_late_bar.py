"""The bar that appears late, where it would disturb."""

from importlib.util import find_spec

import pytest
import rich.console
from rich.progress import BarColumn

from tarazu.data import late_bar


@pytest.mark.skipif(find_spec("ipywidgets") is not None, reason="with ipywidgets notebooks have bars")
def test_a_notebook_without_widgets_sees_no_warning(monkeypatch, capsys):
    monkeypatch.setattr(late_bar, "BAR_AFTER", -1.0)
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    with late_bar.late_bar("reading", "table.csv", 1.0, BarColumn()) as show:
        show(0.5)
    assert capsys.readouterr() == ("", "")
