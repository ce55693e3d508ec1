# SPDX-License-Identifier: MIT
# Hashes, regular expressions, sorting, pipes and a fork, by size.
use strict;
use warnings;

my $size = shift;
my %count;
$count{"k" . ($_ * 7919 % $size)} .= "x" x ($_ % 50) for 1 .. $size;
my $text = join ",", map { "$_=$count{$_}" } sort keys %count;
my $found = () = $text =~ /k(\d+)3=x+/g;
(my $copy = $text) =~ s/x(x*)/length($1)/ge;
print length($text), " $found ", length($copy), "\n";
my @nested = map { [map { { n => $_ } } 1 .. 10] } 1 .. $size / 10;
my $sum = 0;
$sum += $_->{n} for map { @$_ } @nested;
print "$sum\n";
open my $sort, "-|", "printf '%s\\n' c b a | sort" or die;
print <$sort>;
close $sort;
print `echo from a shell`;
defined(my $child = fork) or die;
if (!$child) { print STDERR "child\n"; exit 5 }
waitpid $child, 0;
print $? >> 8, "\n";
exit 3;
