-- A failure means that a table by which a night decides what to build again names something twice, or
-- nothing: rows would be summed twice, or kept though they changed.
{% for name, key in {
    'last_build': 'as_of',
    'last_build_members': 'member_id',
    'last_build_titles': 'title_id',
    'int_first_days__changed': 'first_day',
    'int_members__changed': 'member_id',
    'int_titles__changed': 'title_id',
    'int_event_days__changed': 'event_on',
    'int_received_days__expired': 'received_on',
}.items() -%}
{{ key_failures(ref(name), [key], table=name) }}
{{ 'union all' if not loop.last }}
{% endfor %}
