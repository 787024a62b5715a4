"""Who and what features are about."""

from feast import Entity, ValueType

member = Entity(
    name="member",
    description="A pseudonymous viewing profile; a household may hold several.",
    join_keys=["member_id"],
    value_type=ValueType.STRING,
)

title = Entity(
    name="title",
    description="A film or a series.",
    join_keys=["title_id"],
    value_type=ValueType.STRING,
)
