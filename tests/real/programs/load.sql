-- SPDX-License-Identifier: MIT
create table t (a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
	insert into t select i, 'row ' || (i * 7919 % 20000), i / 7.0 from n;
create index t_b on t (b);
select count(*), sum(a), max(b) from t;
select substr(b, 1, 6) as p, count(*), round(avg(c), 3) from t group by p order by p limit 5;
select count(*) from t x join t y on x.b = y.b where y.a % 3 = 0;
select group_concat(b) from (select b from t order by b desc limit 5);
begin;
update t set b = b || b where a % 2;
rollback;
delete from t where a % 5;
vacuum;
pragma integrity_check;
select length(zeroblob(3000000));
select nothing from nowhere;
