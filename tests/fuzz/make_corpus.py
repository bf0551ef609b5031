"""Seeds of the fuzz targets: a folder each. Names that begin with "ok" must be accepted, with "bad" refused.

usage: make_corpus.py FOLDER CONFIGS
"""
import os
import struct
import sys


def integer(*values):
    return b"".join(struct.pack("<q", value) for value in values)


def text(value):
    return integer(-1) if value is None else integer(len(value.encode())) + value.encode()


def names(values):
    return integer(len(values)) + b"".join(text(value) for value in values)


def labels(column, categories=(), codes=()):
    if column is None:
        return text(None)
    return text(column) + names(categories) + struct.pack(f"<{len(codes)}i", *codes)


def doses(column, values):
    return text(column) + (struct.pack(f"<{len(values)}d", *values) if column else b"")


def keep(rows):
    return integer(len(rows)) + bytes(rows)


def h5ad(cells=4, genes=("a", "b", "c"), layout=0, column="cell_type", codes=(0, 1, -1, 1),
         dose=None, filled=(), others=(), rows=None, kept=(), split=None, numbers=None, kind=0, root=None,
         columns=(), note=None, plugin=None, starts=()):
    paths = ("X/data", "X/indices", "X/indptr") if layout < 2 else ("X", None, None)
    return b"".join((
        text("a.h5ad"), text("X"), text(root),
        integer(kind, 1 << 34, cells if rows is None else rows, cells, len(genes), layout, 7, 2),
        *(text(path) for path in paths), names(genes),
        integer(len(columns)), struct.pack(f"<{len(columns)}i", *columns),
        integer(len(starts), *starts), text(note), text(plugin), names(("cell_type", "day")),
        names(filled), names(others), integer(1),
        labels(column, ("T", "B é"), codes), labels(None), labels("day", ("0",), (0,) * cells),
        doses(dose, (0.5, 10.0, float("nan"), 0.0)[:cells]), keep(kept),
        integer(0 if split is None else 1, 0 if numbers is None else 1),
        b"" if split is None else labels(split, ("test", "train"), codes),
        b"" if numbers is None else doses(numbers, (1.0, 2.0, 3.0, float("nan"))[:cells])))


def model(groups=((0, 0, 0, 0, 5), (0, 1, 1, 1, 9)), atlas=1):
    return b"".join((integer(8, 2, 3, atlas, 0 if atlas else -1, 1, len(groups)),
                     text("model.h5"), text("model: {hidden: 8}\n"),
                     names(("sha256:0 a.h5ad",)), names(("a", "b")),
                     names(("all",)), names(("T", "B")), names(("control", "drug")),
                     *(integer(*group) for group in groups)))


def state():
    return b"".join((integer(2, 1, 14), struct.pack("<4d", 1.5, 3.0, 0.1, 16), struct.pack("<d", 9),
                     integer(1), struct.pack("<d", 1.25), integer(4, 1000, 20),
                     text("training.1.h5"), text("train: {batch: 16}\n"), text("sha256:0"),
                     text("0.1")))


PARENT_SIDE = {
    "h5ad": {"ok_csr": h5ad(), "ok_csc": h5ad(layout=1), "ok_dense": h5ad(layout=2),
             "ok_no_labels": h5ad(column=None), "ok_dose": h5ad(dose="dose"),
             "ok_filled": h5ad(filled=("layers/counts", "raw")),
             "ok_others": h5ad(others=("layers/counts", "raw")),
             "ok_kept": h5ad(rows=6, kept=(1, 0, 1, 1, 0, 1)),
             "ok_columns": h5ad(split="split", numbers="n_genes"),
             "ok_h5mu": h5ad(kind=1, root="mod/rna"), "ok_loom": h5ad(kind=2, layout=3),
             "ok_10x": h5ad(kind=3, root="matrix", columns=(0, 1, -1, 2, -1), note="2 left out"),
             "bad_gene": h5ad(columns=(0, 1, -1, 3)), "bad_genes": h5ad(columns=(0, 1, -1)),
             "bad_columns": h5ad(layout=2, columns=(0, 1, 2)), "bad_order": h5ad(columns=(1, 0, 2)),
             "ok_text": h5ad(kind=4, layout=4, starts=(90, 90, 102, 110, 110)), "ok_unsorted": h5ad(kind=4, layout=4),
             "bad_starts": h5ad(kind=4, layout=4, starts=(90, 90, 102, 101, 110)),
             "bad_places": h5ad(kind=4, layout=4, starts=(90, 90)),
             "bad_kind": h5ad(kind=9),
             "bad_kept": h5ad(rows=6, kept=(1, 0, 1, 1, 1, 1)), "bad_rows": h5ad(rows=6),
             "bad_keep": h5ad(rows=5, kept=(1, 0, 2, 1, 0)),
             "bad_no_column": h5ad()[:-16] + integer(1, 0) + text(None),
             "bad_code": h5ad(codes=(0, 1, 2, 1)),
             "bad_layout": h5ad(layout=9), "bad_length": h5ad()[:-3], "bad_end": h5ad() + b"x",
             "bad_nothing": b""},
    "model": {"ok": model(), "ok_no_atlas": model((), 0), "ok_no_groups": model(()),
              "bad_group": model(((0, 2, 0, 0, 5),)), "bad_count": model(((0, 0, 0, 0, 0),)),
              "bad_end": model() + b"x", "bad_nothing": b""},
    "state": {"ok": state(), "bad_cut": state()[:-2], "bad_end": state() + b"x", "bad_nothing": b""},
}
TABLES = {
    "orthologs": {
        "ok_plain": b"gene_a\tgene_b\na1\tb1\na2\tb2\na3\tb3\n",
        "ok_no_header": b"Kiss1\tKISS1\ng1\tG1\n",
        "ok_commas": b'own,reference,type\ng1,G1,ortholog_one2one\n"g,2","G ""2""",1:1\n',
        "ok_biomart": b"Gene stable ID,Gene name,Mouse gene stable ID,Mouse gene name,Mouse homology "
                      b"type\nENSG1,KISS1,ENSMUSG00000116158,Kiss1,ortholog_one2one\n"
                      b"ENSG2,TNF,ENSMUSG2,Tnf,ortholog_one2many\n",
        "ok_bom": b"\xef\xbb\xbfgene_a\tgene_b\r\na1\tb1\r\n# a comment\r\n\r\na2\tb2\r\n",
        "ok_two_species": b"Gene name,Pig gene name,Mouse gene name,Mouse homology type\nKISS1,KISS1-P,Kiss1,"
                          b"ortholog_one2one\nKISS1,KISS1-P,Kiss1,ortholog_one2one\n",
        "ok_lists": b"Orthogroup\tHomo_sapiens\tMus_musculus\nOG1\tKISS1\tKiss1\nOG2\tA, B\tg1, g2\nOG3\t\tx\n",
        "ok_classes": b"DB Class Key\tCommon Organism Name\tSymbol\n1\tmouse, laboratory\tKiss1\n1\thuman\tKISS1\n"
                      b"2\thuman\tA\n2\tmouse, laboratory\tg1\n2\thuman\tB\n",
        "ok_hcop": b"human_symbol\tmouse_ensembl_gene\tmouse_symbol\nKISS1\tENSMUSG00000116158.3\tKiss1\nX\t-\t-\n",
        "bad_one_to_many": b"a1\tb1\na1\tb2\n", "bad_open_quote": b'a,"b\nc,d\n', "bad_latin1": b"caf\xe9\tb\n",
        "bad_one_column": b"a1\na2\n", "bad_nothing": b"", "bad_header": b"gene_a\tgene_b\n",
        "bad_wide": b"a" + b"\tb" * 300 + b"\n", "ok_long": b"a" * 60000 + b"\tb\n"},
    "gene_sets": {
        "ok": b"SET_A\thttp://x\tTNF\tIL6\tOTHER\nSET_B\t\tg 3\tTNF\tTNF\n",
        "ok_bom": b"\xef\xbb\xbfA\tx\tKiss1\t\t\r\n\r\nB\ty\tnone\r\n",
        "bad_twice": b"A\tx\tTNF\nA\tx\tIL6\n", "bad_short": b"A\tTNF\n", "bad_nothing": b"",
        "bad_no_name": b"\tx\tTNF\n", "bad_no_genes": b"A\tx\t\n", "bad_latin1": b"A\tx\tcaf\xe9\n",
        "ok_long": b"A\tx" + b"\tTNF" * 8000},
    "mtx": {
        "ok": b"%%MatrixMarket matrix coordinate integer general\n%{}\n5 4 4\n1 1 3\n3 1 2\n2 3 1\n5 4 70\n",
        "ok_real": b"%%matrixmarket matrix coordinate real general\r\n5 4 2\r\n1 2 0.5\r\n4 2 1e-3\r\n",
        "ok_any": b"%%MatrixMarket matrix coordinate integer general\n5 4 3\n1 4 3\n3 1 2\n2 3 1",
        "ok_none": b"%%MatrixMarket matrix coordinate integer general\n%\n%\n5 4 0\n",
        "ok_negative": b"%%MatrixMarket matrix coordinate integer general\n5 4 1\n1 1 -3\n",
        "ok_twice": b"%%MatrixMarket matrix coordinate integer general\n5 4 2\n1 1 3\n1 1 3\n",
        "bad_nothing": b"", "bad_array": b"%%MatrixMarket matrix array real general\n5 4\n1\n",
        "bad_count": b"%%MatrixMarket matrix coordinate integer general\n5 4 3\n1 1 3\n",
        "bad_transposed": b"%%MatrixMarket matrix coordinate integer general\n4 5 1\n1 1 3\n",
        "bad_feature": b"%%MatrixMarket matrix coordinate integer general\n5 4 1\n6 1 3\n",
        "bad_entry": b"%%MatrixMarket matrix coordinate integer general\n5 4 1\n1 1 3 4\n",
        "ok_long": b"%%MatrixMarket matrix coordinate integer general\n" + b"%" * 60000 + b"\n5 4 1\n1 1 3\n"},
    "combinations": {
        "ok": b"species,cell_type,perturbation\nhuman,T,drug 1\nmouse,\"B cell\",drug_2\n,NK,drug_2\n",
        "ok_tabs": b"cell_type\tperturbation\tspecies\nT\tdrug 1\thuman\n",
        "bad_unknown": b"species,cell_type,perturbation\nhuman,TT,drug 1\n",
        "bad_control": b"species,cell_type,perturbation\nhuman,T,control\n",
        "bad_short": b"species,cell_type,perturbation\nhuman\n", "bad_no_title": b"species,cell_type\n",
        "bad_twice": b"cell_type,cell_type,perturbation,species\nT,T,drug 1,human\n", "bad_nothing": b""},
}
CONFIGS = {
    "ok_empty": b"", "ok_input": b"data: {inputs: [a.h5ad, {path: b.h5ad, orthologs: o.tsv}]}\n",
    "ok_sets": b"train:\n  batch: 64\n\0train.shards=4\0", "ok_anchor": b"model: &a {hidden: 3}\n",
    "ok_quotes": b"data: {control: \"a: 'b' #c\", cell_type: '\xc3\xa9 ''x'''}\n",
    "ok_lists": b"screen: {cell_types: ['CD4*', NK, 'null', '~', '12'], species: all}\n",
    "ok_hold_out": b"hold_out:\n- {cell_type: T, condition: d}\n- {cell_type: B, condition: d, "
                   b"species: s}\n", "ok_null": b"hold_out:\n",
    "ok_escape": b"data: {control: \"a\\tb\\x01\\u2028\"}\n",
    "bad_unknown": b"train: {bach: 3}\n", "bad_alias": b"a: &x [*x]\n", "bad_twice": b"train: {}\ntrain: {}\n",
    "bad_deep": b"a: " + b"[" * 40, "bad_bomb": b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
    "bad_documents": b"--- {}\n--- {}\n", "bad_tab": b"train:\n\tbatch: 3\n", "bad_tag": b"train: !!set {a}\n",
    "bad_utf16": b"\xff\xfet\0r\0", "bad_nul": b"data: {control: \"a\\0b\"}\n", "bad_set_bad": b"\0train\0",
    "bad_huge": b"train: {batch: 99999999999999999999999}\n", "bad_nan": b"train: {learning_rate: .nan}\n",
}


def write(folder, seeds):
    os.makedirs(folder, exist_ok=True)
    for name, data in seeds.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def main():
    folder, configs = sys.argv[1:]
    for table in (PARENT_SIDE, TABLES):
        for target, seeds in table.items():
            write(os.path.join(folder, target), seeds)
    seeds = dict(CONFIGS)
    for name in sorted(os.listdir(configs)):
        with open(os.path.join(configs, name), "rb") as file:
            seeds[f"ok_{name}"] = file.read()
    write(os.path.join(folder, "config"), seeds)


if __name__ == "__main__":
    main()
