"""The contract's stateless rules as one SQL query a stream: text in, typed rows and verdicts out.

The query reads a table `chunk` as `read` makes it and gives `file, line, landed_on`, each contract
column with its type, `rule` (the first rule that the row breaks, else null), `raw_text` (of broken
rows only), `example` (the value that broke the rule, where anybody may see it) and `is_naive`
(whether a time had no offset). The session's time zone must be UTC.
"""

from collections.abc import Iterator

from matinee.columns import EVENT_AT, RECEIVED_AT
from matinee.duckdb_paths import literal
from matinee.landing.contract import Bound, Column, Limits, Stream

LONGEST_FIELD_BYTES = 64 << 10
LONGEST_RAW_CHARACTERS = 1 << 20
"""What is kept of a broken row's text; the landing file has all of it."""
LONGEST_EXAMPLE = 60
CLOCK_SKEW_MINUTES = 5
"""How far a device's clock may run ahead of ours."""

TEMPORAL = {"timestamp", "date"}
END_OF_TIME = "2262-04-11"
"""The last day that 64 bits of nanoseconds hold. What is later came out of an overflow."""
LEAST_BIGINT, LAST_BIGINT = -(2**63), 2**63
SHOWN = {"none", "behavioural"}
"""Kinds of data of which a single value may stand in a message."""

INFINITE = ("infinity", "-infinity", "inf", "-inf")

TRUE, FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")

PLAIN, PRECISE = "____-__-__T__:__:__Z", "____-__-_____:__:__.______Z"
"""How most times are written, as LIKE patterns: a fast way past the patterns below."""
_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_TIME = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
_OFFSET = r"[+-](0[0-9]|1[0-8])(:?[0-5][0-9])?"
EXACT = f"{_DAY}([T ]{_TIME}(Z|{_OFFSET}| UTC)?)?"
"""What DuckDB reads as it should, and nothing that it would look up in a list of zones."""
LOOSE = f"{_DAY}[Tt ]{_TIME} ?([Zz]|[Uu][Tt][Cc]|{_OFFSET})?"
"""The same with a space before the offset, or in small letters."""
ZONED = rf"{_DAY}[Tt ]{_TIME}[^0-9:.,].*[A-Za-z].*"
NAIVE = f"{_DAY}([Tt ]{_TIME})?"


def checked(stream: Stream, *, format: str) -> str:
    """The query over `chunk` for one stream; all of its rows came in files of one format."""
    is_json = format == "jsonl"
    texts = _json_texts(stream) if is_json else _column_texts(stream)
    values = [f'{_value(stream, column, format)} as "{column.name}"' for column in stream.columns]
    found = list(_rules(stream, format))
    rules = [f"when {condition} then '{rule}'" for condition, rule in found]
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
            end as raw_text,
            {_example(stream, {rule for _, rule in found})} as example,
            {_is_naive(stream)} as is_naive
        from ruled
    """


def rules(stream: Stream) -> set[str]:
    """Every rule that a row of the stream may break when it is received."""
    known = {rule for format in stream.missing_values for _, rule in _rules(stream, format)}
    return {"unreadable_line", "invalid_utf8", *known}


def keys() -> str:
    """The query over `chunk` for the keys of each JSON file: its columns, as far as it has any."""
    return """
        select distinct file, unnest(keys) as key
        from (
            -- Grouped as one text, for lists are slow to compare.
            select file::varchar as file, any_value(keys) as keys
            from (select file, try(json_keys(raw_text)) as keys from chunk)
            group by file, len(keys), array_to_string(keys, chr(0))
        )
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
                case
                    when fields is null then 'unreadable_line'
                    when raw_text[1] = '{{' then null
                    when not starts_with(ltrim(raw_text, ' ' || chr(9)), '{{')
                    then 'unreadable_line'
                end
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


# ---------- values


def _value(stream: Stream, column: Column, format: str) -> str:
    """The typed value of a text, or null when it cannot be one or stands for none."""
    text, is_json = f"text_{column.name}", format == "jsonl"
    match column.data_type:
        case "bigint":
            value = f"try_cast({text} as bigint)"
            if not column.is_rounded:
                value = f"case when {value} = try_cast({text} as double) then {value} end"
            return _without(column, value)
        case "double":
            value = f"case when isfinite(try_cast({text} as double)) then {text}::double end"
            return _without(column, value)
        case "boolean":
            return (
                f"case when lower({text}) in ({_list(TRUE)}) then true"
                f" when lower({text}) in ({_list(FALSE)}) then false end"
            )
        case "timestamp":
            return _timestamp(text)
        case "date":
            return f"case when {text}[5] = '-' then try_cast({text} as date) end"
        case "varchar[]":
            if is_json:
                parts = f"try(json_extract_string({text}, '$[*]'))"
                nested = f"list_has_any(try(json_type({text}, '$[*]')), ['OBJECT', 'ARRAY'])"
                there = f"{text}[1] = '[' and not {nested}"
                return f"case when {there} then {_parts(stream, column, parts, format)} end"
            return _parts(stream, column, text, format)
        case _:
            return _text(stream, column, text, format)


def _without(column: Column, value: str) -> str:
    if not column.missing:
        return value
    return f"case when {value} not in ({_list(column.missing)}) then {value} end"


def _timestamp(text: str) -> str:
    """An instant, read as UTC where it has no offset; a name of a zone gives null.

    Plain casts drop offsets, casts with a zone look every name up: neither sees such a text.
    """
    spelt = f"regexp_replace(upper({text}), ' ?(Z|UTC|[+-][0-9:]+)$', '\\1')"
    return (
        f"case when {text} like '{PLAIN}' then try_cast({text} as timestamp)"
        # NZ is New Zealand.
        f" when {text} like '{PRECISE}' and not ends_with({text}, 'NZ') and {text}[11] <> 't'"
        f" then try_cast({text} as timestamptz)::timestamp"
        f" when regexp_full_match(rtrim({text}), '{EXACT}')"
        f" then try_cast(rtrim({text}) as timestamptz)::timestamp"
        f" when regexp_full_match({text}, '{LOOSE}')"
        f" then try_cast(replace({spelt}, 'UTC', 'Z') as timestamptz)::timestamp end"
    )


def _text(stream: Stream, column: Column, text: str, format: str) -> str:
    value = text
    if column.limits.allowed is None and not column.pattern:
        value = _composed(stream, column, text)
    cases = []
    if column.limits.allowed is not None:
        # `none` may be what a column has to say.
        cases.append(f"when {text} in ({_list(column.limits.allowed)}) then {text}")
    missing = _is_missing(stream, column, format)
    if format == "jsonl":
        is_text = f"json_type(raw_text, '$.{column.name}') = 'VARCHAR'"
        # Infinity is a number and "Infinity" a film; so are ["REC"] and "[REC]".
        words = _list((*_words(stream, column, format), *INFINITE))
        cases.append(
            f"when lower({text}) in ({words})"
            f" then case when lower({text}) in ({_list(INFINITE)}) and {is_text} then {value} end"
        )
        cases.append(f"when {text}[1] in ('[', '{{') and not {is_text} then null")
    elif missing != "false":
        cases.append(f"when {missing} then null")
    return f"case {' '.join(cases)} else {value} end" if cases else value


def _composed(stream: Stream, column: Column, text: str) -> str:
    """Names in one spelling (NFC), however a machine composes its accents; ids as they are."""
    if stream.kind != "snapshot" or column.name.endswith("_id"):
        return text
    # It would cut a text at NUL.
    is_composed = f"strlen({text}) = length({text}) or contains({text}, chr(0))"
    return f"case when {is_composed} then {text} else nfc_normalize({text}) end"


def _parts(stream: Stream, column: Column, parts: str, format: str) -> str:
    words = stream.missing_values[format]
    is_there = f"part <> '' and lower(part) not in ({_list(words)})" if words else "part <> ''"
    return (
        f"list_transform(list_filter({parts}, lambda part: {is_there}),"
        f" lambda part: {_composed(stream, column, 'part')})"
    )


def _words(stream: Stream, column: Column, format: str) -> tuple[str, ...]:
    """Words that stand for no value. People search for `nan`, so free text has none."""
    return () if column.pii == "free_text" else stream.missing_values[format]


def _is_missing(stream: Stream, column: Column, format: str) -> str:
    """Whether a text stands for no value."""
    text, words = f"text_{column.name}", _words(stream, column, format)
    if column.data_type == "varchar[]" and format != "jsonl":
        return "false"
    stand_ins = []
    if words:
        stand_ins.append(f"lower({text}) in ({_list(words)})")
    if column.data_type in TEMPORAL:
        stand_ins.append(f"starts_with({text}, '0000-00-00')")
    if column.missing:
        number = f"try_cast({text} as double)"
        stand_ins.append(f"coalesce({number} in ({_list(column.missing)}), false)")
    return f"({' or '.join(stand_ins)})" if stand_ins else "false"


def _is_naive(stream: Stream) -> str:
    # Cases, for only they leave out what was answered before.
    cases = [
        f"when not ends_with(text_{column.name}, 'Z')"
        f" and regexp_full_match(rtrim(text_{column.name}), '{NAIVE}') then true"
        for column in stream.columns
        if column.data_type == "timestamp"
    ]
    return f"case {' '.join(cases)} else false end" if cases else "false"


def _example(stream: Stream, known: set[str]) -> str:
    """The value that broke a rule, of columns whose values single nobody out."""
    cases = [
        f"when '{rule}' then left(text_{column.name}, {LONGEST_EXAMPLE})"
        for column in stream.columns
        for rule in sorted(known)
        if rule.endswith(f":{column.name}")
        and column.pii in SHOWN
        and column.data_type != "varchar[]"
        and not column.name.endswith("_id")
    ]
    return (
        f"case when rule is not null then case rule {' '.join(cases)} end end"
        if cases
        else ("null::varchar")
    )


# ---------- rules


def _rules(stream: Stream, format: str) -> Iterator[tuple[str, str]]:
    """Every condition that breaks the contract and the rule's name, in the order of asking."""
    for column in stream.columns:
        text, value = f"text_{column.name}", f'"{column.name}"'
        missing = _is_missing(stream, column, format)
        # Of a list its parts count, however the format writes them down.
        whole = f"array_to_string({value}, '')" if column.data_type == "varchar[]" else text
        if column.required:
            yield (
                f"{text} is null or ({value} is null and {missing})",
                f"missing_field:{column.name}",
            )
        yield f"strlen({whole}) > {LONGEST_FIELD_BYTES}", f"field_too_long:{column.name}"
        is_bad = f"{text} is not null and {value} is null and not {missing}"
        if column.data_type == "timestamp":
            yield f"{is_bad} and regexp_full_match({text}, '{ZONED}')", f"zone_name:{column.name}"
        if column.data_type == "bigint":
            number = f"try_cast({text} as double)"
            yield (
                f"{is_bad} and ({number} >= {LAST_BIGINT} or {number} < {LEAST_BIGINT})"
                f" and isfinite({number})",
                f"out_of_range:{column.name}",
            )
        yield is_bad, f"mistyped_field:{column.name}"
        if column.pattern:
            match = f"regexp_full_match({value}, {_literal(column.pattern)})"
            yield f"not {match}", f"not_allowed:{column.name}"
        if column.data_type in TEMPORAL:
            yield f"{value} >= '{END_OF_TIME}'", f"out_of_range:{column.name}"
        yield from _limit_rules(column, column.limits)
        for condition in column.when:
            for broken, rule in _limit_rules(column, condition.limits):
                other = f"text_{condition.column} = {_literal(condition.value)}"
                yield f"{other} and {broken}", rule
    if stream.kind == "event":
        latest = f"{RECEIVED_AT} + interval {CLOCK_SKEW_MINUTES} minutes"
        yield f"{EVENT_AT} > {latest}", "event_after_receipt"


def _limit_rules(column: Column, limits: Limits) -> Iterator[tuple[str, str]]:
    value = f'"{column.name}"'
    if limits.allowed is not None:
        yield f"{value} not in ({_list(limits.allowed)})", f"not_allowed:{column.name}"
    is_temporal = column.data_type in TEMPORAL
    if limits.minimum is not None:
        too_low = f"{value} < {_bound(limits.minimum, column)}"
        if column.data_type == "timestamp":
            in_1970 = f"{value} >= '1970-01-01' and {value} < '1971-01-01'"
            yield f"{too_low} and {in_1970}", f"clock_in_1970:{column.name}"
        yield too_low, "before_service" if is_temporal else f"out_of_range:{column.name}"
    if limits.maximum is not None:
        yield f"{value} > {_bound(limits.maximum, column)}", f"out_of_range:{column.name}"


def _bound(bound: Bound, column: Column) -> str:
    text = _literal(bound)
    return f"{text}::{column.data_type}" if column.data_type in TEMPORAL else text


def _list(values: tuple[Bound, ...]) -> str:
    return ", ".join(map(_literal, values))


def _literal(value: Bound) -> str:
    return str(value) if isinstance(value, int | float) else literal(value)
