with

files as (

    select * from {{ ref('received_file_counts') }}

),

summed as (

    select
        stream,
        cast(sum(received_count) as bigint) as received_count,
        cast(sum(staged_count) as bigint) as staged_count,
        cast(sum(rejected_count) as bigint) as rejected_count,
        cast(sum(exact_repeat_count) as bigint) as exact_repeat_count
    from files
    group by stream

)

select * from summed
