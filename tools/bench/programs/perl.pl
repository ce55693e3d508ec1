# SPDX-License-Identifier: MIT
# Hashes of strings that grow, lists of lists, split and join, sorting; half of the keys go again.
use strict;
use warnings;

my (%grown, %places);
my $random = 1;
sub below { $random = ($random * 1103515245 + 12345) % 2147483648; return int($random / 65536) % $_[0]; }

for my $i (1 .. 600_000) {
	$grown{below(20_000)} .= "x" x ($i % 40);
}
for my $line (1 .. 40_000) {
	my $text = join " ", map { "w" . below(5000) } 1 .. 10;
	push @{$places{$_}}, [$line, length $text] for split / /, $text;
	delete $places{"w" . below(5000)} if $line % 4 == 0;
}
my @order = sort { @{$places{$b}} <=> @{$places{$a}} || $a cmp $b } keys %places;
delete @grown{grep { $_ % 2 } keys %grown};
print scalar(keys %grown), " ", scalar(@order), " $order[0]\n";
