{#- What staging knows of each stream, by name.

    source: the dbt source it belongs to.
    key: of a snapshot, the columns that name a row within its day, of which `nullable` may be null. An event has its
    `event_id`.
    member_id, title_id: the columns whose members and titles must be known. Consents and requests are kept of everyone:
    a choice must hold when its member comes back, long after the last snapshot that had them. -#}
{% macro streams() %}
    {{ return({
        'plays': {'source': 'playback', 'member_id': 'member_id', 'title_id': 'title_id'},
        'impressions': {'source': 'playback', 'member_id': 'member_id', 'title_id': 'title_id'},
        'ratings': {'source': 'engagement', 'member_id': 'member_id', 'title_id': 'title_id'},
        'searches': {'source': 'engagement', 'member_id': 'member_id', 'title_id': 'clicked_title_id'},
        'members': {'source': 'accounts', 'key': ['member_id']},
        'subscriptions': {'source': 'accounts', 'member_id': 'member_id'},
        'consents': {'source': 'accounts'},
        'privacy_requests': {'source': 'accounts'},
        'titles': {'source': 'catalogue', 'key': ['title_id']},
        'title_windows': {
            'source': 'catalogue', 'title_id': 'title_id',
            'key': ['title_id', 'country', 'starts_on', 'ends_on'], 'nullable': ['country', 'starts_on', 'ends_on'],
        },
        'assets': {'source': 'catalogue', 'key': ['asset_id'], 'title_id': 'title_id'},
    }) }}
{% endmacro %}
