"""One cell type's stimulated cells held out: what is left to train on, and what a prediction of their mean is worth."""
import numpy as np


class HeldOut:
    """cells: AnnData, X dense and log-normalised, obs columns condition and cell_type. name: the type whose cells under
    `stimulated` are held out.

    train     the cells without them
    control   mean of the type's control cells [genes]
    observed  mean of the held-out cells [genes]
    deg       the 100 genes with the largest absolute Wilcoxon z (ties corrected)
    """

    SCORES = ["r2_all", "r2_deg", "delta_pearson"]

    def __init__(self, cells, name, control, stimulated):
        import scanpy

        of = lambda condition: ((cells.obs.cell_type == name) & (cells.obs.condition == condition)).to_numpy()
        before, held = of(control), of(stimulated)
        self.train = cells[~held].copy()
        self.control, self.observed = cells.X[before].mean(0), cells.X[held].mean(0)
        pair = cells[held | before].copy()
        scanpy.tl.rank_genes_groups(pair, "condition", groups=[stimulated], reference=control, method="wilcoxon", tie_correct=True)
        table = scanpy.get.rank_genes_groups_df(pair, stimulated).set_index("names")
        z = table.loc[pair.var_names, "scores"].to_numpy()
        self.deg = np.argsort(-np.abs(z), kind="stable")[:100]

    def scores(self, predicted):
        """predicted: mean [genes]  @return r2_all, r2_deg, delta_pearson, and of no change r2_all, r2_deg"""
        r = lambda a, b: np.corrcoef(a, b)[0, 1]
        control, observed, deg = self.control, self.observed, self.deg
        return [r(predicted, observed) ** 2, r(predicted[deg], observed[deg]) ** 2,
                r(predicted - control, observed - control),
                r(control, observed) ** 2, r(control[deg], observed[deg]) ** 2]
