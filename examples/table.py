"""Species of penguins from a table with missing cells: python examples/table.py

Result: test accuracy 98.0 % (always the commonest species: 45 %), in 2 s of processor time.
"""

from pathlib import Path

import tarazu as tz

TABLE = Path(__file__).with_name("penguins.csv")


def main(path=TABLE, target="species", epochs=200):
    """The accuracy on test rows of a network for the column `target` of a CSV file."""
    fitted = tz.fit_table(path, target=target, epochs=epochs, verbose=0)
    print(fitted)                                                   # scores of all parts, and the verdict
    print("most important:", [row.column for row in fitted.importance[:3]])
    print("first rows:", fitted.predict(path)[:3])
    return fitted.scores["test"]["accuracy"]


if __name__ == "__main__":
    main()
