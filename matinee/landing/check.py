"""The contract's stateless rules as one SQL query a stream: text in, typed rows and verdicts out.

The query reads a table `chunk` as `read` makes it and gives `file, line, landed_on`, each contract
column with its type, `rule` (the first rule that the row breaks, else null) and `raw_text` (of
broken rows only). The session's time zone must be UTC.
"""

from collections.abc import Iterator

from matinee.columns import EVENT_AT, RECEIVED_AT
from matinee.landing.contract import Bound, Column, Limits, Stream

LONGEST_FIELD_BYTES = 64 << 10
LONGEST_RAW_CHARACTERS = 1 << 20
"""What is kept of a broken row's text; the landing file has all of it."""
CLOCK_SKEW = "interval 5 minutes"
"""How far a device's clock may run ahead of ours."""

TEMPORAL = {"timestamp", "date"}


def checked(stream: Stream, *, is_json: bool) -> str:
    """The query over `chunk` for one stream."""
    texts = _json_texts(stream) if is_json else _column_texts(stream)
    values = [f'{_value(column, is_json=is_json)} as "{column.name}"' for column in stream.columns]
    rules = [f"when {condition} then '{rule}'" for condition, rule in _rules(stream)]
    raw = ", ".join(f'"{column.name}" := text_{column.name}' for column in stream.columns)
    names = ", ".join(f'"{name}"' for name in stream.names)
    return f"""
        with texts as ({texts}),
        typed as (select *, {", ".join(values)} from texts),
        ruled as (
            select *, case when broken is not null then broken {" ".join(rules)} end as rule
            from typed
        )
        select file::varchar as file, line, landed_on, {names}, rule,
            case when rule is not null then
                left(
                    coalesce(
                        rtrim(raw_text, chr(13) || chr(10)), to_json(struct_pack({raw}))::varchar
                    ),
                    {LONGEST_RAW_CHARACTERS}
                )
            end as raw_text
        from ruled
    """


def rules(stream: Stream) -> set[str]:
    """Every rule that a row of the stream may break when it is received."""
    return {"unreadable_line", "invalid_utf8", *(rule for _, rule in _rules(stream))}


def keys() -> str:
    """The query over `chunk` for the keys of each JSON file: its columns, as far as it has any."""
    return """
        select distinct file::varchar as file, unnest(keys) as key
        from (select distinct file, try(json_keys(raw_text)) as keys from chunk)
    """


def _json_texts(stream: Stream) -> str:
    """Take each line apart once. What is no JSON object is unreadable."""
    paths = ", ".join(f"'$.{column.name}'" for column in stream.columns)
    fields = ", ".join(
        f"nullif(fields[{index}], '') as text_{column.name}"
        for index, column in enumerate(stream.columns, start=1)
    )
    return f"""
        select file, landed_on, line, raw_text, {fields},
            coalesce(
                broken,
                case when fields is null or not starts_with(ltrim(raw_text, ' ' || chr(9)), '{{')
                then 'unreadable_line' end
            ) as broken
        from (select *, try(json_extract_string(raw_text, [{paths}])) as fields from chunk)
    """


def _column_texts(stream: Stream) -> str:
    fields = ", ".join(
        f"text_{column.name}"
        if column.data_type == "varchar[]"
        else f"nullif(text_{column.name}, '') as text_{column.name}"
        for column in stream.columns
    )
    return f"select file, landed_on, line, raw_text, broken, {fields} from chunk"


def _value(column: Column, *, is_json: bool) -> str:
    """The typed value of a text, or null when it cannot be one."""
    text = f"text_{column.name}"
    match column.data_type:
        case "bigint" if column.is_rounded:
            return f"try_cast({text} as bigint)"
        case "bigint":
            return (
                f"case when try_cast({text} as bigint) = try_cast({text} as double)"
                f" then try_cast({text} as bigint) end"
            )
        case "double":
            return f"case when isfinite(try_cast({text} as double)) then {text}::double end"
        case "boolean":
            return (
                f"case when lower({text}) in ('true', '1') then true"
                f" when lower({text}) in ('false', '0') then false end"
            )
        case "timestamp":
            # A year has four digits: no `infinity`, no `epoch`. A plain cast would drop offsets.
            return f"case when {text}[5] = '-' then try_cast({text} as timestamptz)::timestamp end"
        case "date":
            return f"case when {text}[5] = '-' then try_cast({text} as date) end"
        case "varchar" if is_json:
            # '[REC]' is a film; ["REC"] is a list where a text is asked for.
            return (
                f"case when {text}[1] in ('[', '{{') then"
                f" case when json_type(raw_text, '$.{column.name}') = 'VARCHAR' then {text} end"
                f" else {text} end"
            )
        case "varchar[]" if is_json:
            parts = f"try(json_extract_string({text}, '$[*]'))"
            nested = f"list_has_any(try(json_type({text}, '$[*]')), ['OBJECT', 'ARRAY'])"
            return f"case when {text}[1] = '[' and not {nested} then {_without_blanks(parts)} end"
        case "varchar[]":
            return _without_blanks(text)
        case _:
            return text


def _without_blanks(parts: str) -> str:
    return f"list_filter({parts}, lambda part: part <> '')"


def _rules(stream: Stream) -> Iterator[tuple[str, str]]:
    """Every condition that breaks the contract and the rule's name, in the order of asking."""
    for column in stream.columns:
        text, value = f"text_{column.name}", f'"{column.name}"'
        # Of a list its parts count, however the format writes them down.
        whole = f"array_to_string({value}, '')" if column.data_type == "varchar[]" else text
        if column.required:
            yield f"{text} is null", f"missing_field:{column.name}"
        yield f"strlen({whole}) > {LONGEST_FIELD_BYTES}", f"field_too_long:{column.name}"
        yield f"{text} is not null and {value} is null", f"mistyped_field:{column.name}"
        if column.pattern:
            match = f"regexp_full_match({value}, {_literal(column.pattern)})"
            yield f"not {match}", f"not_allowed:{column.name}"
        yield from _limit_rules(column, column.limits)
        for condition in column.when:
            for broken, rule in _limit_rules(column, condition.limits):
                other = f"text_{condition.column} = {_literal(condition.value)}"
                yield f"{other} and {broken}", rule
    if stream.kind == "event":
        yield f"{EVENT_AT} > {RECEIVED_AT} + {CLOCK_SKEW}", "event_after_receipt"


def _limit_rules(column: Column, limits: Limits) -> Iterator[tuple[str, str]]:
    value = f'"{column.name}"'
    if limits.allowed is not None:
        allowed = ", ".join(map(_literal, limits.allowed))
        yield f"{value} not in ({allowed})", f"not_allowed:{column.name}"
    is_temporal = column.data_type in TEMPORAL
    if limits.minimum is not None:
        rule = "before_service" if is_temporal else f"out_of_range:{column.name}"
        yield f"{value} < {_bound(limits.minimum, column)}", rule
    if limits.maximum is not None:
        yield f"{value} > {_bound(limits.maximum, column)}", f"out_of_range:{column.name}"


def _bound(bound: Bound, column: Column) -> str:
    literal = _literal(bound)
    return f"{literal}::{column.data_type}" if column.data_type in TEMPORAL else literal


def _literal(value: Bound) -> str:
    return str(value) if isinstance(value, int | float) else "'" + value.replace("'", "''") + "'"
