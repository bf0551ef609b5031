"""One atlas with its doses in other forms, and with doses that must be refused: FORM.h5ad in the working directory."""
import sys

import anndata
import numpy as np
import pandas as pd

cells = anndata.read_h5ad(sys.argv[1])
good = cells.obs.dose.values.copy()
text = good.astype(int).astype(str)


def write(name, dose, rows=None):
    cells.obs["dose"] = dose
    if rows is not None:
        for row, value in rows:
            cells.obs.iloc[row, cells.obs.columns.get_loc("dose")] = value
    cells.write_h5ad(name + ".h5ad")


write("float32", good.astype(np.float32))
write("integers", good.astype(np.int64))
write("text", pd.array(text, dtype=object))
write("categories", pd.Categorical(good))
write("categories_of_text", pd.Categorical(text))
write("nullable", pd.array(good.astype(int), dtype="Int32"))
assert list(cells.obs.condition.iloc[[5, 7]]) == ["control"] * 2 and (cells.obs.condition.iloc[[61, 90, 200, 299]] == "drug_1").all()
write("negative", good, [(200, -1.0), (290, -2.0)])
write("missing", good, [(299, np.nan)])
write("infinite", good, [(61, np.inf)])
write("dosed_control", good, [(7, 1.0)])
write("zero", good, [(90, 0.0)])
words = pd.Series(text, index=cells.obs_names, dtype=object)
words.iloc[5] = "high"
write("words", words)
measured = good.copy()
measured[measured > 0] += np.linspace(0, 0.5, (measured > 0).sum())
write("measured", measured)
