# %% [markdown]
# # Train a model on the features of a release
#
# Run this after a night (`make run`), from the root of the checkout. It needs no network.

# %%
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from matinee import features, warehouse
from matinee.releases import Store
from matinee.settings import Settings

settings = Settings()  # MATINEE_HOME says which home
where = {"home": settings.home, "project": settings.project}
release = Store.of(settings.home).open("live")
as_of = datetime.fromisoformat(release.manifest["as_of"])
print(release.id, "as of", as_of.date())

# %% [markdown]
# ## Labels: 1,000 choices of members
#
# A row of `member_title_signals` is one member, title and day. `signal_milli` above 500 means that
# the member watched about half of the title or more, or liked it.

# %%
labels = warehouse.query(
    """
    select member_id, title_id, interacted_at as event_timestamp, signal_milli > 500 as liked
    from member_title_signals
    order by hash(member_id || title_id), interacted_at
    limit 1000
    """,
    home=settings.home,
)
entities = labels.select(["member_id", "title_id"]).append_column(
    "event_timestamp",
    labels["event_timestamp"].cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC")),
)
print(len(labels), "choices,", pc.sum(labels["liked"]).as_py(), "liked")

# %% [markdown]
# ## Features as they were known at each instant
#
# The service `homepage_v1` names views of members and of titles. Each row gets what was known at
# its `event_timestamp`, and nothing younger. Columns are called `view__field`.

# %%
frame = features.frame(entities, "homepage_v1", **where)
order = [("member_id", "ascending"), ("event_timestamp", "ascending"), ("title_id", "ascending")]
liked = np.array(labels.sort_by(order)["liked"].to_pylist())
numeric = [
    field.name
    for field in frame.schema
    if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
]
matrix = np.column_stack(
    [np.nan_to_num(frame[name].to_numpy(zero_copy_only=False).astype(float)) for name in numeric]
)
print(matrix.shape, "features, such as", numeric[:3])

# %% [markdown]
# ## Train on the earlier choices, test on the later ones

# %%
instants = np.array(frame["event_timestamp"].to_pylist())
earlier = np.argsort(instants, kind="stable")[: 3 * len(liked) // 4]
is_earlier = np.isin(np.arange(len(liked)), earlier)
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
model.fit(matrix[is_earlier], liked[is_earlier])
auc = roc_auc_score(liked[~is_earlier], model.predict_proba(matrix[~is_earlier])[:, 1])
print(f"AUC on {int((~is_earlier).sum())} later choices: {auc:.3f}")

# %% [markdown]
# ## Online features of one member, and the embeddings of the release

# %%
member = release.manifest["samples"][0]
online = features.members_online([member], features="homepage_v1", **where)
print(member, "has", online.num_columns - 1, "online features")

embeddings = np.load(release.path / "model/title_embeddings.npy", allow_pickle=False)
names = release.table("vocabulary/title_features.parquet")["name"].to_pylist()
print(embeddings.shape, "one row for each feature of titles, such as", names[-1])

# %% [markdown]
# ## Compare with the slates
#
# Does this small model agree with the release? It scores the first ten titles of a member's
# slate, and as many titles that are not in the slate.

# %%
slate = release.slate(member)["title_id"].to_pylist()
others = sorted(set(release.titles()["title_id"].to_pylist()) - set(slate))
first, others = slate[:10], others[:: max(1, len(others) // 10)][:10]
titles = [*first, *others]
pairs = pa.table(
    {
        "member_id": [member] * len(titles),
        "title_id": titles,
        "event_timestamp": pa.array([as_of] * len(titles), pa.timestamp("us", "UTC")),
    }
)
scored = features.frame(pairs, "homepage_v1", **where)
rows = np.column_stack(
    [np.nan_to_num(scored[name].to_numpy(zero_copy_only=False).astype(float)) for name in numeric]
)
chance = dict(zip(scored["title_id"].to_pylist(), model.predict_proba(rows)[:, 1], strict=True))
means = [np.mean([chance[title] for title in some]) for some in (first, others)]
print(f"mean chance in the slate {means[0]:.2f}, of others {means[1]:.2f}")
