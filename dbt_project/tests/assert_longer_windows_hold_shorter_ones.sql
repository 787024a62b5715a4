-- A failure means that a window was entered and not left, or left twice: the steps no longer cancel out.
select
    'member_activity_stats: a longer window counts less than a shorter one' as failure,
    observed_at

from {{ ref('member_activity_stats') }}
where
    play_count_7d < 0
    or play_count_28d < play_count_7d
    or play_count_90d < play_count_28d
    or watched_seconds_7d < 0
    or watched_seconds_28d < watched_seconds_7d
    or watched_seconds_90d < watched_seconds_28d
    or title_count_28d < 0
    or rating_count_28d < 0

union all

select
    'title_popularity_stats: a longer window counts less than a shorter one' as failure,
    observed_at

from {{ ref('title_popularity_stats') }}
where
    play_count_7d < 0
    or play_count_28d < play_count_7d
    or play_count_90d < play_count_28d
    or member_count_7d < 0
    or member_count_28d < member_count_7d
    or member_count_90d < member_count_28d
