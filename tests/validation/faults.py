"""A sane table for every suite, and everything that can be wrong with it."""

# ruff: noqa: E501 (a fault a line)

from datetime import UTC, datetime

AS_OF = datetime(2026, 1, 11, tzinfo=UTC)
"""The end of the last day on which the sane tables landed."""

# One query a table: 2,000 plausible rows of the columns that its suite looks at.
ROWS = "from range(2000) as numbers(i)"
EVENT = """
    'e' || i as event_id, 'm' || i % 1000 as member_id, 't' || i % 1000 as title_id,
    date '2026-01-01' + (i % 10)::int as landed_on,
    timestamp '2026-01-01 12:00' + interval (i % 10) day as received_at"""
SNAPSHOT = "date '2026-01-01' + (i // 1000)::int as landed_on"
FEATURE = "timestamp '2026-01-10' + interval (i // 1000) day as observed_at"

BESIDE = {
    "members": f"""
        select 'm' || i as member_id, i != 7 as may_personalise, 18 as maximum_age
        {ROWS} where i < 1000""",
    "titles": f"""
        select 't' || i as title_id, i = 7 as is_retired, if(i = 8, 21, 12) as minimum_age
        {ROWS} where i < 1000""",
    "seen_titles": "select 'm1' as member_id, 't999' as title_id",
}
"""Tables that suites set theirs beside."""

SANE = {
    "stg_playback__plays": f"""
        select {EVENT}, 60 + i as watched_seconds, 60 as utc_offset_minutes {ROWS}""",
    "stg_playback__impressions": f"""
        select {EVENT}, 0.5 as slot_propensity, null::double as asset_propensity,
            i % 20 as row_index, i % 9 = 0 as was_clicked {ROWS}""",
    "stg_engagement__ratings": f"""
        select {EVENT}, 'stars' as rating_kind, (i % 11)::double as value {ROWS}""",
    "stg_engagement__searches": f"""
        select {EVENT}, '<script>' as query_text, i % 5 as result_count {ROWS}""",
    "stg_accounts__subscriptions": f"""
        select {EVENT}, if(i % 50 = 0, 'cancel', 'renew') as kind, 999 as price_minor,
            'EUR' as currency {ROWS}""",
    "stg_accounts__consents": f"""
        select {EVENT}, 'marketing' as purpose, i % 30 < 12 as granted {ROWS}""",
    "stg_accounts__privacy_requests": f"""
        select {EVENT}, 'r' || i as request_id, if(i % 100 = 9, 'erase', 'export') as kind
        {ROWS}""",
    "stg_accounts__members": f"""
        select 'm' || i % 1000 as member_id, {SNAPSHOT}, i % 9 = 0 as is_kids,
            case when i % 9 = 0 then 12 end as maximum_age {ROWS}""",
    "stg_catalogue__titles": f"""
        select 't' || i % 1000 as title_id, {SNAPSHOT}, 'Film ' || i as name,
            5400 as runtime_seconds, ['Drama'] as genres {ROWS}""",
    "stg_catalogue__title_windows": f"""
        select 't' || i % 1000 as title_id, 'FR' as country, date '2025-01-01' as starts_on,
            date '2027-01-01' as ends_on, {SNAPSHOT} {ROWS}""",
    "stg_catalogue__assets": f"""
        select 'a' || i % 1000 as asset_id, {SNAPSHOT},
            if(i % 9 = 0, 'trainedAlgorithmicMedia', 'digitalCapture') as digital_source_type,
            if(i % 9 = 0, 'Made by AI', null) as disclosure_label {ROWS}""",
    "member_profiles": f"""
        select 'm' || 8 + i as member_id, timestamp '2026-01-10' as observed_at,
            'FR' as country, 'basic' as plan {ROWS} where i < 990""",
    "member_tastes": f"""
        select 'm' || i % 1000 as member_id, {FEATURE},
            [if(i % 2 = 0, 'Drama', 'Comedy')] as genres, [0.5] as genre_affinities {ROWS}""",
    "member_activity_stats": f"""
        select 'm' || i % 1000 as member_id, {FEATURE}, i as watched_seconds_7d,
            i % 9 as play_count_7d, i % 9 as play_count_28d, i % 9 as play_count_90d,
            i % 9 * 700 as completion_milli_28d {ROWS}""",
    "member_dayparts": f"""
        select 'm' || i % 1000 as member_id, {FEATURE},
            if(i % 2 = 0, 'night', 'morning') as main_daypart, 0.25 as morning_ratio,
            0.25 as afternoon_ratio, 0.25 as evening_ratio, 0.25 as night_ratio {ROWS}""",
    "member_search_intents": f"""
        select 'm' || i % 1000 as member_id, {FEATURE}, i as search_count_28d,
            0.5 as no_result_ratio_28d {ROWS}""",
    "member_title_signals": f"""
        select 'm' || i % 1000 as member_id, 't' || i % 1000 as title_id, {FEATURE},
            i % 3000 - 500 as signal_milli {ROWS}""",
    "title_contents": f"""
        select 't' || i % 1000 as title_id, {FEATURE}, 'movie' as title_kind,
            '1990s' as release_decade, ['Drama'] as genres {ROWS}""",
    "title_popularity_stats": f"""
        select 't' || i % 1000 as title_id, {FEATURE}, 100 as play_count_28d,
            100 as play_count_90d, 1 as rating_count_90d, 90 as member_count_90d,
            if(i % 2 = 0, 7.5, null) as mean_rating {ROWS}""",
    "frame_signals": f"""
        select 'm' || 8 + i % 900 as member_id, 't' || i % 1000 as title_id, {FEATURE},
            timestamp '2025-12-31 20:00' as interacted_at, i % 3000 - 500 as signal_milli
        {ROWS}""",
    "frame_member_features": f"""
        select 'm' || i as member_id, 'FR' as country {ROWS} where i < 1000 and i != 7""",
    "frame_title_features": f"""
        select 't' || i as title_id, 'movie' as title_kind, ['Drama'] as genres
        {ROWS} where i < 1000""",
    "slates": """
        select
            'm' || m as member_id, 1 + p as rank, 't' || 10 + (m + p) % 900 as title_id,
            0.5 as score, if(m = 7, 'popular', 'top_picks') as row_kind,
            if(m = 7, 'non_profiled', 'hybrid') as source, 'Popular in FR' as reason
        from range(1000) as members(m) cross join range(3) as places(p)""",
}

HONEST = [
    # The only button is a thumb up.
    (
        "stg_engagement__ratings",
        "select * replace ('thumbs' as rating_kind, 1.0 as value) from sane",
    ),
]
"""What looks odd in a table and is right."""

NEWEST = "landed_on = (select max(landed_on) from sane)"
EVENTS = {
    "stg_playback__plays": "Plays",
    "stg_playback__impressions": "Impressions",
    "stg_engagement__ratings": "Ratings",
    "stg_engagement__searches": "Searches",
    "stg_accounts__subscriptions": "Subscriptions",
    "stg_accounts__consents": "Consents",
    "stg_accounts__privacy_requests": "Requests",
}

FEATURES = (
    "member_profiles",
    "member_tastes",
    "member_activity_stats",
    "member_dayparts",
    "member_search_intents",
    "member_title_signals",
    "title_contents",
    "title_popularity_stats",
)

# fmt: off
# Table, what is wrong with it (relative to the sane rows), and the notes of all that must break.
FAULTS = [
    *(
        (table, f"select sane.* replace (event_id || '-' || n as event_id) from sane, range(10) as "
         f"copies(n) where n = 0 or {NEWEST}", {"Far more rows landed than on a usual", "Twice the usual plays", "One request arrived"})
        for table in EVENTS
    ),
    *(
        (table, f"select * from sane where not {NEWEST} or event_id like '%99'",
         {"A tenth of the usual rows landed", "Half the usual plays"})
        for table in EVENTS if table != "stg_accounts__privacy_requests"
    ),
    *(
        (table, f"select * from sane where not {NEWEST}", {f"{what} came every day"})
        for table, what in EVENTS.items()
    ),
    *(
        (table, "select * replace ('e1' as event_id) from sane", {"An event counts twice"})
        for table in EVENTS
    ),
    *(
        (table, "select * replace (observed_at - interval 9 day as observed_at) from sane", {"New events arrive and this table has"})
        for table in FEATURES if table not in ("member_profiles", "title_contents")
    ),
    ("stg_playback__plays", "select sane.* replace (event_id || '-' || n as event_id) from sane, "
     f"range(3) as copies(n) where n = 0 or {NEWEST}", {"Twice the usual plays"}),
    ("stg_playback__plays", f"select * from sane where not {NEWEST} or watched_seconds % 3 = 0",
     {"Half the usual plays"}),
    ("stg_playback__plays", "select * replace (watched_seconds * 1000 as watched_seconds) from sane",
     {"A play longer than a day"}),
    ("stg_playback__plays", "select * replace (watched_seconds // 60 as watched_seconds) from sane",
     {"No play reaches a minute"}),
    ("stg_playback__plays", "select * replace ('unknown' as member_id) from sane",
     {"One member has a quarter"}),
    ("stg_playback__plays", "select * replace (null::int as utc_offset_minutes) from sane",
     {"Most plays have no offset"}),
    ("stg_playback__impressions",
     "select * replace (0.0 as slot_propensity, 0.0 as asset_propensity) from sane",
     {"A title was shown whose chance to be", "An asset was shown whose chance to be"}),
    ("stg_playback__impressions", "select * replace (row_index + 1000 as row_index) from sane",
     {"A shelf below 200 others"}),
    ("stg_playback__impressions", "select * replace (true as was_clicked) from sane",
     {"Clicks are logged for nearly every"}),
    ("stg_playback__impressions", "select * replace (false as was_clicked) from sane",
     {"Clicks are logged for nearly every"}),
    ("stg_engagement__ratings", "select * replace (8.0 as value) from sane",
     {"Nearly all ratings have one value"}),
    ("stg_engagement__ratings", "select * replace (value / 2 as value) from sane",
     {"Stars go from 0 to 10 here"}),
    ("stg_engagement__ratings", "select * replace ('unknown' as member_id) from sane",
     {"One member has a quarter"}),
    ("stg_engagement__searches", "select * replace (10000000 as result_count) from sane",
     {"No catalogue has a million titles"}),
    ("stg_engagement__searches", "select * replace (0 as result_count) from sane",
     {"Most searches have no result"}),
    ("stg_accounts__subscriptions", "select * replace (price_minor * 1000 as price_minor) from sane",
     {"A price above"}),
    ("stg_accounts__subscriptions", "select * replace (null::varchar as currency) from sane",
     {"Amounts without a currency cannot be"}),
    ("stg_accounts__subscriptions", "select * replace ('cancel' as kind) from sane",
     {"Most changes of the day are"}),
    ("stg_accounts__consents", "select * replace (true as granted) from sane", {"Nearly all gave one answer"}),
    ("stg_accounts__consents", "select * replace (false as granted) from sane",
     {"Nearly all gave one answer"}),
    ("stg_accounts__privacy_requests", "select * replace ('r1' as request_id) from sane",
     {"One request arrived"}),
    ("stg_accounts__members", f"select * from sane where not {NEWEST} or member_id < 'm4'",
     {"The members have halved in a day"}),
    ("stg_accounts__members", "select sane.* replace (member_id || '-' || n as member_id) from sane, "
     f"range(20) as copies(n) where n = 0 or {NEWEST}", {"There are ten times as many members"}),
    ("stg_accounts__members", "select * replace (landed_on - 100 as landed_on) from sane",
     {"Profiles a month old lack the members"}),
    ("stg_accounts__members", "select * replace ('m1' as member_id) from sane",
     {"A member is twice in one snapshot"}),
    ("stg_accounts__members", "select * replace (null::int as maximum_age) from sane",
     {"A profile of a child without an age"}),
    ("stg_accounts__members", "select * replace (true as is_kids, 12 as maximum_age) from sane",
     {"A flag that is true for most members"}),
    ("stg_catalogue__titles", f"select * from sane where not {NEWEST} or title_id < 't4'",
     {"The catalogue has halved in a day"}),
    ("stg_catalogue__titles", "select sane.* replace (title_id || '-' || n as title_id) from sane, "
     f"range(20) as copies(n) where n = 0 or {NEWEST}", {"There are ten times as many titles as"}),
    ("stg_catalogue__titles", "select * replace (landed_on - 100 as landed_on) from sane",
     {"A catalogue a month old has titles"}),
    ("stg_catalogue__titles", "select * replace ('t1' as title_id) from sane", {"A title is twice in one"}),
    ("stg_catalogue__titles", "select * replace ('' as name) from sane", {"Names are shown to members"}),
    ("stg_catalogue__titles", "select * replace (5400000 as runtime_seconds) from sane",
     {"Runtimes in minutes or milliseconds"}),
    ("stg_catalogue__titles", "select * replace ([]::varchar[] as genres) from sane",
     {"Most titles have no genre"}),
    ("stg_catalogue__title_windows", f"select * from sane where not {NEWEST} or title_id < 't4'",
     {"Half of the windows are gone"}),
    ("stg_catalogue__title_windows", "select sane.* replace ((date '2027-01-01' + n::int) as ends_on) "
     f"from sane, range(20) as copies(n) where n = 0 or {NEWEST}", {"There are ten times as many windows"}),
    ("stg_catalogue__title_windows", "select * from sane union all select * from sane",
     {"A window is there twice"}),
    ("stg_catalogue__title_windows",
     "select * replace (if(title_id = 't1', date '2024-01-01', ends_on) as ends_on) from sane",
     {"A window ends before it starts and"}),
    ("stg_catalogue__title_windows", "select * replace (date '2025-02-01' as ends_on) from sane",
     {"Every window is closed"}),
    ("stg_catalogue__title_windows", "select * replace ('x' || title_id as title_id) from sane",
     {"Most windows are of unknown titles"}),
    ("stg_catalogue__assets", f"select * from sane where not {NEWEST} or asset_id < 'a4'",
     {"Half of the assets are gone"}),
    ("stg_catalogue__assets", "select sane.* replace (asset_id || '-' || n as asset_id) from sane, "
     f"range(20) as copies(n) where n = 0 or {NEWEST}", {"There are ten times as many assets as"}),
    ("stg_catalogue__assets", "select * replace ('a1' as asset_id) from sane", {"An asset is twice in one snapshot"}),
    ("stg_catalogue__assets", "select * replace (null::varchar as disclosure_label) from sane",
     {"A generated picture has no label"}),
    *(
        (table, "select * replace (timestamp '2026-01-12' as observed_at) from sane "
         "where observed_at = timestamp '2026-01-10'", {"A feature is later than the night"})
        for table in FEATURES
    ),
    *(
        (table, "select * from sane union all select * from sane",
         {"Two rows for one instant"})
        for table in FEATURES
    ),
    ("member_profiles", "select * replace (member_id as country) from sane union all "
     "select * replace ('x' || member_id as member_id, member_id as country) from sane",
     {"The world has 250 countries", "A profile of a member who did not"}),
    ("member_profiles", "select * replace (member_id as plan) from sane union all "
     "select * replace ('x' || member_id as member_id, member_id as plan) from sane",
     {"A plan for every member is an id", "A profile of a member who did not"}),
    ("member_profiles", "select * replace (null::varchar as country) from sane",
     {"Most profiles have no country"}),
    ("member_profiles", "select * replace ('m7' as member_id) from sane limit 1",
     {"A profile of a member who did not"}),
    ("member_tastes",
     "select * replace ([]::varchar[] as genres, []::float[] as genre_affinities) from sane",
     {"Events no longer match the genres of"}),
    ("member_tastes", "select * replace (['Drama'] as genres) from sane", {"One first genre for all members is a"}),
    ("member_tastes", "select * replace ([1.5] as genre_affinities) from sane", {"Two lists that belong together differ"}),
    ("member_activity_stats", "select * replace (9999999 as watched_seconds_7d) from sane",
     {"A member watched more than four"}),
    ("member_activity_stats", "select * replace (9999 as play_count_7d, 9999 as play_count_28d, "
     "9999 as play_count_90d) from sane", {"A member has a play every two minutes"}),
    ("member_activity_stats", "select * replace (99 as play_count_28d) from sane",
     {"A short window counts more plays than"}),
    ("member_activity_stats",
     "select * replace (1001 * play_count_28d + 1 as completion_milli_28d) from sane",
     {"The mean part watched of a member's plays"}),
    ("member_dayparts", "select * replace ('noon' as main_daypart) from sane limit 10",
     {"A daypart that no model was trained"}),
    ("member_dayparts", "select * replace ('night' as main_daypart) from sane",
     {"All members watch at one time of day"}),
    ("member_dayparts", "select * replace (0.5 as night_ratio) from sane", {"Shares that do not sum to 1 give one"}),
    ("member_search_intents", "select * replace (99999 as search_count_28d) from sane",
     {"A search every two minutes for four"}),
    ("member_search_intents", "select * replace (1.5 as no_result_ratio_28d) from sane",
     {"A share is outside of 0 to 1"}),
    ("member_title_signals",
     "select * replace (-signal_milli - 1 as signal_milli) from sane where signal_milli >= 0",
     {"No signal is positive", "Most signals are dislikes"}),
    ("member_title_signals", "select * replace (signal_milli * 1000 as signal_milli) from sane",
     {"A signal this large makes embeddings"}),
    ("member_title_signals", "select * replace ('x' || title_id as title_id) from sane",
     {"A title that no catalogue ever had"}),
    ("title_contents", "select * replace ('game' as title_kind) from sane", {"A kind of title that no page can show"}),
    ("title_contents", "select * replace ('20s' as release_decade) from sane", {"Films begin"}),
    ("title_contents",
     "select * replace (['Drama|' || row_number() over ()] as genres) from sane",
     {"So many genres that no two titles"}),
    ("title_contents", "select * from sane where title_id != 't1'", {"A title without contents is in no"}),
    ("title_popularity_stats", "select * replace (mean_rating * 10 as mean_rating) from sane",
     {"A mean rating is outside of 0 to 10"}),
    ("title_popularity_stats",
     "select * replace (if(title_id = 't1', 99999, 1) as play_count_28d) from sane",
     {"One title has nearly all plays"}),
    ("title_popularity_stats", "select * replace (999 as member_count_90d) from sane",
     {"More members than events"}),
    ("frame_signals", "select * from sane union all select * from sane", {"A signal counts twice"}),
    ("frame_signals", "select * replace (null::int as signal_milli) from sane",
     {"A signal without a value becomes NaN,"}),
    ("frame_signals", "select * replace (signal_milli * 1000 as signal_milli) from sane",
     {"A signal this large makes embeddings"}),
    ("frame_signals", "select * replace (timestamp '2026-01-11' as interacted_at) from sane",
     {"A model that has seen the future is"}),
    ("frame_signals", "select * replace ('m7' as member_id) from sane where title_id = 't1'",
     {"A signal of a member who did not", "A signal without its row in the"}),
    ("frame_signals", "select * replace ('x' || title_id as title_id) from sane",
     {"A signal without its row in the"}),
    ("frame_signals", "select * replace (-1 as signal_milli) from sane", {"Most signals are dislikes"}),
    ("frame_signals", "select * replace ('m8' as member_id) from sane", {"One member has a tenth of all signals"}),
    ("frame_member_features", "select * from sane union all select * from sane",
     {"A member has two rows in the matrix"}),
    ("frame_member_features", "select * from sane union all select null, 'FR'",
     {"A row without a member", "A member who did not consent"}),
    ("frame_member_features", "select * replace (null::varchar as country) from sane",
     {"Most members have no country"}),
    ("frame_member_features", "select * from sane where member_id != 'm1'", {"A member who consents is not in the"}),
    ("frame_member_features", "select * from sane union all select 'm7', 'FR'",
     {"A member who did not consent is in"}),
    ("frame_title_features", "select * from sane union all select * from sane",
     {"A title has two rows in the matrix"}),
    ("frame_title_features", "select * replace (null::varchar as title_kind) from sane",
     {"Titles without contents"}),
    ("frame_title_features", "select * replace (null::varchar[] as genres) from sane",
     {"Most titles have no genre"}),
    ("frame_title_features", "select * from sane where title_id != 't1'",
     {"A title that is not in the frame is"}),
    ("frame_title_features", "select * from sane union all select 'x', 'movie', ['Drama']",
     {"A title that is not in the frame is"}),
    ("slates", "select * replace (1 as rank) from sane", {"Two titles have one rank", "A gap in the ranks"}),
    ("slates", "select * replace ('t10' as title_id) from sane", {"A title is twice in one", "One title"}),
    ("slates", "select * replace ('guess' as source) from sane where member_id != 'm7'",
     {"A source that serving and the report"}),
    ("slates", "select * replace ('other' as row_kind) from sane", {"A shelf that no page has"}),
    ("slates", "select * replace (null::varchar as reason) from sane", {"A title without a reason"}),
    ("slates", "select * replace ('' as reason) from sane", {"Reasons are shown to members"}),
    ("slates", "select * replace ('nan'::double as score) from sane", {"Titles without a score are in no order"}),
    ("slates", "select * from sane where rank != 2", {"A gap in the ranks"}),
    ("slates", "select * replace (if(member_id = 'm1', 'x', title_id) as title_id) from sane "
     "where rank = 1", {"A title that the service does not"}),
    ("slates", "select * replace (if(member_id = 'm1', 't7', title_id) as title_id) from sane "
     "where rank = 1", {"A title that the service does not"}),
    ("slates", "select * from sane union all "
     "select * replace ('x' as member_id) from sane where member_id = 'm1'", {"A slate of an unknown member"}),
    ("slates", "select * replace (if(member_id = 'm1', 't999', title_id) as title_id) from sane "
     "where rank = 1", {"A member is shown a title that they"}),
    ("slates", "select * replace (if(member_id = 'm1', 't8', title_id) as title_id) from sane "
     "where rank = 1", {"A child is shown a title that its"}),
    ("slates", "select * replace ('hybrid' as source) from sane", {"A slate goes against what the member"}),
    ("slates", "select * replace ('non_profiled' as source) from sane", {"A slate goes against what the member"}),
    ("slates", "select * from sane where member_id < 'm8'", {"Members without a slate see an empty"}),
]
# fmt: on
