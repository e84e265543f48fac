"""The pages of the API, one per subject, made from the package: what is public is looked up, never listed by hand.

`SUBJECTS` says on which page and under which heading the names of a module stand. A public name whose module has no
place is an error, so nothing can be missing; tests/site/test_api_pages.py says the same. Docstrings are plain prose
with examples; `as_rst` turns them into what Sphinx reads.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tarazu

FOLDER = "api/generated"
NAMESPACES = {  # as users write them, by the module that they are
    "tarazu": "tarazu", "tarazu.random": "tarazu.runtime.random", "tarazu.linalg": "tarazu.ops.linalg",
    "tarazu.fft": "tarazu.ops.fft", "tarazu.nn": "tarazu.nn", "tarazu.nn.init": "tarazu.nn.init",
    "tarazu.optim": "tarazu.optim", "tarazu.data": "tarazu.data", "tarazu.data.augment": "tarazu.runtime.augment",
    "tarazu.train": "tarazu.train", "tarazu.record": "tarazu.record", "tarazu.diagnose": "tarazu.diagnose",
    "tarazu.study": "tarazu.study", "tarazu.tabular": "tarazu.tabular", "tarazu.interop": "tarazu.interop",
    "tarazu.draw": "tarazu.draw",
    "tarazu.sklearn": "tarazu.sklearn", "tarazu.serve": "tarazu.serve",
    "tarazu.course": "tarazu.course", "tarazu.base.errors": "tarazu.base.errors",
}
NOT_OURS = {"annotations", "importlib"}  # what `dir(tarazu)` has beside the names for users
CLI_PAGE = "commands"

# Page: title, one sentence, and its headings with the modules whose names stand below them. A module is a prefix; the
# longest that fits counts. "=name" is one name that is no function or class, and so does not know its module.
SUBJECTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "tensors": ("Tensors", "Making them, their types, and what a tensor can do.", {
        "Creation": "runtime.tensor.creation ops.create runtime.tensor.dlpack",
        "The tensor": "runtime.tensor.tensor",
        "Variables": "runtime.tensor.variable",
        "Dtypes": "base.dtypes ops.dtype_functions",
        "Constants": "=e =pi =inf =nan =newaxis",
    }),
    "elementwise": ("Elementwise functions", "One result for each element.", {
        "Arithmetic": "ops.elementwise.arithmetic",
        "Exponential and logarithm": "ops.elementwise.exponential",
        "Trigonometry": "ops.elementwise.trigonometric",
        "Comparison and logic": "ops.elementwise.comparison",
        "Bits": "ops.elementwise.bitwise",
        "Complex numbers": "ops.elementwise.complex",
        "Special functions": "ops.elementwise.special ops.elementwise.error_functions",
        "Floating-point numbers": "ops.elementwise.floats",
        "Selection": "ops.elementwise.selection",
        "Conversion": "ops.elementwise.conversion",
    }),
    "reductions": ("Reductions and statistics", "Many elements become one, or a few.", {
        "Sums, extremes, cumulative sums": "ops.reduce ops.statistics.running",
        "Averages and spread": "ops.statistics.averages",
        "Quantiles": "ops.statistics.quantiles",
        "Counts": "ops.statistics.counts",
        "Covariance": "ops.statistics.dependence",
        "Without NaN": "ops.statistics.missing",
    }),
    "shapes": ("Shapes, indexing and sorting", "The same elements in another order, or some of them.", {
        "Shapes": "ops.shape",
        "Joining and splitting": "ops.splitting",
        "Indexing": "ops.indexing.index ops.indexing.scatter",
        "Sorting": "ops.indexing.sorting",
        "Searching": "ops.indexing.searching",
        "Sets": "ops.indexing.sets",
        "Segments": "ops.indexing.segments",
        "Diagonals": "ops.indexing.diagonals",
        "Differences": "ops.indexing.differences",
        "Windows and padding": "ops.indexing.windows",
    }),
    "linear_algebra": ("Linear algebra and Fourier transforms", "Products, decompositions, solvers, spectra.", {
        "Products": "ops.contract ops.einsum ops.linalg.products",
        "Matrices": "ops.linalg.matrix ops.linalg.exponential",
        "Decompositions": "ops.linalg.decompose ops.linalg.triangular",
        "Solving": "ops.linalg.solve ops.linalg.least_squares",
        "Distances": "ops.linalg.distances ops.linalg.similarity",
        "Fourier transforms": "ops.fft",
    }),
    "random": ("Random numbers", "Generators with seeds, and distributions.", {
        "Generators": "runtime.random.generator =random.default",
        "Distributions": "runtime.random.distributions runtime.random.counts runtime.random.shares",
        "Choice": "runtime.random.choice",
    }),
    "gradients": ("Gradients", "Derivatives of any order, of any expression.", {
        "Gradients": "runtime.autograd",
        "Own gradients": "transform.custom",
        "Vectorization": "runtime.vmap",
    }),
    "graphs": ("Graphs, control flow, devices", "What runs, where it runs, and how long it takes.", {
        "Compiled functions": "runtime.jit runtime.compile",
        "Control flow": "ops.control_flow",
        "Devices": "runtime.device ops.placement backend",
        "Looking closer": "runtime.profile runtime.debug",
    }),
    "network_functions": ("Functions of networks", "What layers are made of.", {
        "Activations": "ops.networks.activations ops.networks.softmax",
        "Linear maps and embeddings": "ops.networks.linear ops.networks.embedding",
        "Convolution": "ops.networks.convolution",
        "Pooling": "ops.networks.pooling ops.networks.unpooling",
        "Normalization": "ops.networks.normalization",
        "Recurrence and attention": "ops.networks.recurrent ops.networks.attention",
        "Images": "ops.networks.images ops.networks.interpolation",
    }),
    "models": ("Models", "Modules, models, parameters and how they begin.", {
        "Models": "nn.module nn.functional nn.layers.sequential",
        "Initial values": "nn.init =nn.init.INITIALIZERS",
    }),
    "layers": ("Layers", "For tables, images, and anything else.", {
        "Dense layers": "nn.layers.dense nn.layers.einsum_dense",
        "Activations": "nn.layers.activation =nn.ACTIVATIONS",
        "Convolution": "nn.layers.spatial.convolution nn.layers.spatial.transposed nn.layers.spatial.separable",
        "Pooling": "nn.layers.spatial.pooling nn.layers.spatial.global_pooling",
        "Padding, cropping, resizing": "nn.layers.spatial",
        "Normalization": "nn.layers.normalization nn.layers.group_norm nn.layers.reparametrized",
        "Dropout and noise": "nn.layers.regularization nn.layers.noise",
        "Shapes": "nn.layers.reshaping",
    }),
    "sequence_layers": ("Layers for sequences, preprocessing", "Text, time, attention; from raw values to numbers.", {
        "Embeddings and positions": "nn.layers.sequences.embedding nn.layers.sequences.positions",
        "Recurrent layers": "nn.layers.sequences.recurrent nn.layers.sequences.cells nn.layers.sequences.bidirectional",
        "Attention": "nn.layers.sequences",
        "Preprocessing": "nn.layers.preprocessing",
        "Augmentation": "nn.layers.augmentation",
    }),
    "losses": ("Losses", "What training makes small.", {
        "Numbers": "nn.losses.numbers",
        "Classes and labels": "nn.losses.classes nn.losses.labels",
        "Margins": "nn.losses.margins",
        "Embeddings": "nn.losses.embeddings",
        "Overlap of regions": "nn.losses.overlap",
        "Sequences": "nn.losses.ctc",
        "By name": "nn.losses =nn.LOSSES",
    }),
    "optimizers": ("Optimizers and schedules", "How parameters change after each step.", {
        "Optimizers": "optim =optim.OPTIMIZERS",
        "Schedules of the learning rate": "optim.schedules",
        "Regularizers and constraints": "optim.regularizers optim.constraints",
    }),
    "data": ("Data", "Data sets, tables, batches.", {
        "Data sets": "data.sets data.dataset data.readers data.sequences",
        "Splits and scalers": "data.splits data.scalers",
        "Tables": "data.tables data.columns",
        "Augmentation": "runtime.augment",
    }),
    "training": ("Training", "compile, fit, evaluate, predict, save; callbacks.", {
        "Training": "train",
        "Callbacks": "train.callbacks",
        "Saving and loading": "train.save interop.files",
        "Modules and weights of torch": "interop.torch interop.torch_weights",
        "Cross-validation": "train.cross_validation",
    }),
    "metrics": ("Metrics", "Measured while a model trains, and after.", {
        "Classification": "train.metrics.accuracy train.metrics.classification",
        "Ranking and probabilities": "train.metrics.ranking train.metrics.probability",
        "Regression": "train.metrics.regression",
        "Own metrics": "train.metrics =train.METRICS",
    }),
    "verdicts": ("Verdicts and reports", "The history of a fit, its verdict, and the page that shows both.", {
        "History and verdict": "record =record.SEVERITIES =record.STOPPED =record.VERDICTS",
        "Judging": "diagnose.judging diagnose.measuring =diagnose.MEASUREMENTS",
        "Scores": "diagnose.scoring",
        "Reports": "diagnose.reporting =diagnose.Panel",
    }),
    "studies": ("Studies", "Experiments that train again: why a model generalizes badly, and what would help.", {
        "Why it generalizes badly": "study.diagnosis study.trials =study.CAUSES",
        "Curves": "study.curves",
        "Bias and variance": "study.decompose",
        "Looks at rows": "study.rows",
        "Remedies": "study.interventions",
    }),
    "tables": ("Tables in one call", "From a table to a judged model.", {
        "Fitting": "tabular",
        "Serving": "serve",
    }),
    "pictures": ("Pictures", "Charts of predictions, of what is in a model, and of what its outputs rest on.", {
        "Drawing": "draw",
        "The picture": "picture",
    }),
    "scikit_learn": ("scikit-learn", "Networks for its pipelines, searches and meta-estimators; the extra `sklearn`.", {
        "Estimators": "sklearn",
    }),
    "course": ("Checks of the course", "Whether an answer is right, and if not, why not.", {
        "Checks": "course",
    }),
    "errors": ("Errors and warnings", "Every error of Tarazu says what came, what was expected, and how to mend it.", {
        "Errors and warnings": "base.errors train.trainer.divergence",
    }),
}


@dataclass(frozen=True)
class Public:
    """A public name, as users write it, with what it names and the name under which it is described in full."""

    name: str
    thing: Any
    described: str

    @property
    def place(self) -> str:
        """What `SUBJECTS` is asked for: the module, or "=name" for values."""
        is_code = isinstance(self.thing, type | types.FunctionType) or (
            str(getattr(self.thing, "__module__", "")).startswith("tarazu."))
        if is_code and not self.name.endswith("random.default"):
            return str(self.thing.__module__).removeprefix("tarazu.")
        return "=" + self.name.removeprefix("tarazu.")


def public_names() -> list[Public]:
    """Everything that users reach through `NAMESPACES`, lazy names too."""
    found, described = [], {}
    for prefix, path in NAMESPACES.items():
        module = importlib.import_module(path)
        for name in sorted(getattr(module, "__all__", None) or dir(module)):
            thing = getattr(module, name)
            if name.startswith("_") or name in NOT_OURS or isinstance(thing, types.ModuleType):
                continue
            if path in ("tarazu.base.errors", "tarazu.course") and not (
                    isinstance(thing, type | types.FunctionType) and thing.__module__.startswith(path)):
                continue  # helpers that these import
            full = f"{prefix}.{name}"
            is_shared = isinstance(thing, type | types.FunctionType)
            found.append(Public(full, thing, described.setdefault(id(thing), full) if is_shared else full))
    return found


def places() -> dict[str, tuple[str, str]]:
    """Page and heading by module prefix."""
    return {module: (page, heading) for page, (_, _, headings) in SUBJECTS.items()
            for heading, modules in headings.items() for module in modules.split()}


def place_of(public: Public) -> tuple[str, str]:
    """The page and the heading of a name; LookupError for one that `SUBJECTS` has no place for."""
    known = places()
    parts = public.place.split(".")
    for length in range(len(parts), 0, -1):
        if (place := ".".join(parts[:length])) in known:
            return known[place]
    raise LookupError(f"SUBJECTS in docs/_extensions/api_pages.py has no place for {public.name} ({public.place})")


def data_text(thing: Any) -> str:
    """What a value is, in a line."""
    if isinstance(thing, dict):
        return "A dictionary: " + ", ".join(f"``{key}``" for key in thing) + "."
    if isinstance(thing, tuple):
        return "In this order: " + ", ".join(f"``{value}``" for value in thing) + "."
    if isinstance(thing, types.UnionType):
        return "One of " + ", ".join(f"``{kind.__name__}``" for kind in thing.__args__) + "."
    return f"``{thing!r}``"


def directive(public: Public) -> str:
    """The lines that describe one name."""
    if public.described != public.name:
        name, other = public.name.removeprefix("tarazu."), public.described.removeprefix("tarazu.")
        return (f".. py:function:: {public.name}\n   :no-typesetting:\n\n"
                f":py:obj:`{name} <{public.name}>` is :py:obj:`{other} <{public.described}>`.\n")
    if isinstance(public.thing, type):
        kind = "autoexception" if issubclass(public.thing, BaseException) else "autoclass"
        return f".. {kind}:: {public.name}\n   :members:\n"
    if isinstance(public.thing, types.FunctionType):
        return f".. autofunction:: {public.name}\n"
    if public.place.startswith("=") or not callable(public.thing):
        return f".. py:data:: {public.name}\n\n   {data_text(public.thing)}\n"
    return f".. autofunction:: {public.name}\n"


def title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n\n"


def page_texts() -> dict[str, str]:
    """The pages' text by their name."""
    by_place: dict[tuple[str, str], list[Public]] = {}
    for public in public_names():
        by_place.setdefault(place_of(public), []).append(public)
    texts = {}
    for page, (name, sentence, headings) in SUBJECTS.items():
        parts = [title(name, "="), sentence + "\n\n"]
        for heading in headings:
            described = by_place.get((page, heading))
            if not described:
                raise LookupError(f"nothing public stands under {heading!r} of the page {page!r}")
            parts.append(title(heading, "-"))
            parts += [directive(public) + "\n" for public in described]
        texts[page] = "".join(parts)
    texts[CLI_PAGE] = commands_text()
    return texts


def commands_text() -> str:
    """The page of the commands: what each says with --help."""
    import click

    from tarazu.cli.main import main as root

    parts = [title("The tarazu command", "="), "What each command says with ``--help``.\n\n"]
    for path, command in commands(root, "tarazu"):
        help_text = command.get_help(click.Context(command, info_name=path, max_content_width=90, terminal_width=90))
        block = "\n".join("   " + line if line else "" for line in help_text.splitlines())
        parts.append(f"{title(path, '-')}.. code-block:: text\n\n{block}\n\n")
    return "".join(parts)


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}")


CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
EMPHASIS = re.compile(r"(?<!\S)\*(?=[A-Za-z])([^*]+)\*(?=[\s.,;:)]|$)")  # may hold code, which Sphinx does not nest
TZ_NAME = re.compile(r"tz((?:\.\w+)+)(?:\(.*\))?")


def prose(text: str, known: set[str]) -> str:
    """A stretch of prose as reStructuredText: code in backticks as code, nothing else taken as markup."""
    parts = CODE.split(EMPHASIS.sub(r"\1", text))
    made = []
    for number, part in enumerate(parts):
        if number % 2 == 0:
            made.append(re.sub(r"([*|\\]|_(?!\w))", r"\\\1", part))
            continue
        before, after = parts[number - 1][-1:], parts[number + 1][:1]
        part = " ".join(part.split())
        named = TZ_NAME.fullmatch(part)
        code = f":py:obj:`{part} <tarazu{named[1]}>`" if named and f"tarazu{named[1]}" in known else f"``{part}``"
        made.append(("" if not before or before.isspace() else "\\ ") + code
                    + ("" if not after or after.isspace() else "\\ "))
    return "".join(made)


def blocks(lines: list[str]) -> Iterator[list[str]]:
    """Runs of lines between blank ones."""
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def as_rst(lines: list[str], known: set[str]) -> list[str]:
    """A docstring's lines as reStructuredText: examples, listings (indented) and prose with code in backticks."""
    made: list[str] = []
    for block in blocks(lines):
        if block[0].lstrip().startswith(">>>"):
            made += [".. code-block:: pycon", "", *("   " + line for line in block), ""]
        elif all(line.startswith("    ") for line in block):
            made += [".. code-block:: text", "", *("   " + line[4:] for line in block), ""]
        else:
            start = next((n for n, line in enumerate(block) if line.lstrip().startswith(">>>")), len(block))
            made += [*prose("\n".join(block[:start]), known).split("\n"), ""]
            if start < len(block):
                made += as_rst(block[start:], known)
    return made


def write(app: Any, _: Any = None) -> None:
    """Write the pages whose text has changed, and remove those that are no more."""
    folder = Path(app.srcdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    texts = page_texts()
    for name, text in texts.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.stem not in texts:
            path.unlink()


def source_of(thing: Any) -> tuple[str, int] | None:
    """The file, from the repository's root, and the line where something is defined; None for plain values."""
    thing = inspect.unwrap(getattr(thing, "fget", None) or thing)
    if not isinstance(thing, type | types.FunctionType):
        return None
    try:
        path, (_, line) = inspect.getsourcefile(thing), inspect.getsourcelines(thing)
    except (OSError, TypeError):
        return None
    root = Path(tarazu.__file__).parents[1]
    if path is None or not Path(path).is_relative_to(root / "tarazu"):
        return None  # made by a decorator of the standard library
    return Path(path).relative_to(root).as_posix(), line


def add_source_links(app: Any, doctree: Any, described: dict[str, Any]) -> None:
    """Put a link to the source beside each signature, and have the source's page written; unlink Python's own types."""
    from docutils import nodes
    from repository_files import link_to, note
    from sphinx import addnodes

    docname, shown = app.env.docname, set()
    for signature in doctree.findall(addnodes.desc_signature):
        for reference in list(signature.findall(addnodes.pending_xref)):
            if hasattr(builtins, reference["reftarget"]):  # `bool` is Python's type here, not the dtype `tz.bool`
                reference.replace_self(nodes.inline("", reference["reftarget"]))
        first, *rest = signature.get("fullname", "").split(".")
        thing = described.get(f"{signature.get('module')}.{first}")
        for name in rest:
            thing = inspect.getattr_static(thing, name, None)
            thing = getattr(thing, "__func__", thing)
        if found := source_of(thing):
            path, line = found
            shown.add(path)
            signature += nodes.reference("", "", nodes.inline("", "[source]", classes=["viewcode-link"]),
                                         internal=False, refuri=link_to(path, docname, line))
    if shown:
        note(app.env, docname, shown)


def link_names(doctree: Any, docname: str, known: set[str]) -> None:
    """Make a link of each public name, such as `tz.nn.Dense`, where a page first writes it as code."""
    from docutils import nodes
    from sphinx import addnodes

    seen: set[str] = set()
    for literal in list(doctree.findall(nodes.literal)):
        named = TZ_NAME.fullmatch(literal.astext())
        name = f"tarazu{named[1]}" if named else ""
        is_linked = isinstance(literal.parent, nodes.reference | addnodes.pending_xref | addnodes.download_reference)
        if name not in known or name in seen or is_linked or isinstance(literal.parent, nodes.title):
            continue
        seen.add(name)
        link = addnodes.pending_xref("", refdomain="py", reftype="obj", reftarget=name, refdoc=docname,
                                     refexplicit=True, refwarn=False)
        literal.replace_self(link)
        link += literal


def on_signature(app: Any, what: str, name: str, thing: Any, options: Any, signature: str | None,
                 returns: str | None) -> tuple[str | None, str | None] | None:
    """A class takes what its `__init__` does, also where its `__new__` takes anything, as that of layers."""
    from sphinx.util.inspect import signature as read
    from sphinx.util.inspect import stringify_signature

    if not isinstance(thing, type) or not isinstance(thing.__init__, types.FunctionType):
        return None
    taken = read(thing.__init__, bound_method=True)
    return stringify_signature(taken, show_return_annotation=False, unqualified_typehints=True), returns


def setup(app: Any) -> dict[str, bool]:
    known = {public.name for public in public_names()}
    described = {public.name: public.thing for public in public_names()}

    def on_docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
        lines[:] = as_rst(lines, known)

    def skip(app: Any, what: str, name: str, thing: Any, is_skipped: bool, options: Any) -> bool | None:
        return True if type(thing).__name__ == "_tuplegetter" else None

    def links(app: Any, doctree: Any) -> None:
        add_source_links(app, doctree, described)
        if not app.env.docname.startswith(FOLDER):
            link_names(doctree, app.env.docname, known)

    app.connect("config-inited", write)
    app.connect("autodoc-process-docstring", on_docstring)
    app.connect("autodoc-process-signature", on_signature)
    app.connect("autodoc-skip-member", skip)
    app.connect("doctree-read", links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
