-- SPDX-License-Identifier: MIT
-- A table of 400,000 rows in memory, an index, groups, joins, rows changed and taken out.
create table item(id integer primary key, name text, kind integer, size real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 400000)
	insert into item select i, hex(i * 7919 % 1000003) || '-' || i, i * 31 % 997, i * 0.5 from n;
create index by_kind on item(kind, name);
create table total as select kind, count(*) as items, group_concat(substr(name, 1, 6)) as names from item group by kind;
update item set name = name || name where id % 5 = 0;
delete from item where id % 7 = 0;
select count(*), sum(length(a.name)) from item a join item b on b.id = a.id + 1 where b.kind > a.kind;
select count(distinct substr(name, 1, 7)) from item;
select kind, items, length(names) from total order by items desc, kind limit 3;
select json_array_length(json_group_array(json_object('id', id, 'name', name))) from item where id < 100000;
