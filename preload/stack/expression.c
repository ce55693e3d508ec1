/* SPDX-License-Identifier: MIT */
/*
 * expression.c: DWARF expressions by symbols.
 *
 * A value is number, register + number, or what is read there, + number.  The instruction pointer is a number, as a row
 * is about one instruction.  What leaves these forms is OTHER.
 */
#include "stack/row.h"

#include "stack/machine.h"

enum { DEPTH_MAX = 4 };

enum {
	OP_ADDR = 0x03,
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_CONST8S = 0x0f,
	OP_CONSTU,
	OP_CONSTS,
	OP_DUP,
	OP_DROP,
	OP_OVER,
	OP_SWAP = 0x16,
	OP_AND = 0x1a,
	OP_MINUS = 0x1c,
	OP_MUL = 0x1e,
	OP_OR = 0x21,
	OP_PLUS,
	OP_PLUS_UCONST,
	OP_SHL,
	OP_SHR,
	OP_SHRA,
	OP_XOR,
	OP_EQ = 0x29,
	OP_GE,
	OP_GT,
	OP_LE,
	OP_LT,
	OP_NE,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
	OP_BREGX = 0x92,
	OP_NOP = 0x96
};

struct value {
	int64_t k;
	int32_t j;
	uint8_t base;
	bool is_read; /* *(base + k) + j */
};

struct machine {
	struct bytes code;
	uintptr_t ip;
	unsigned depth;
	bool is_other; /* left our forms, or is broken */
	struct value stack[DEPTH_MAX];
};

static void push(struct machine *m, struct value value)
{
	if (m->depth == DEPTH_MAX)
		m->is_other = true;
	else
		m->stack[m->depth++] = value;
}

static void push_number(struct machine *m, uint64_t number)
{
	push(m, (struct value){.k = (int64_t)number, .base = BASE_NUMBER});
}

static struct value pop(struct machine *m)
{
	if (m->depth)
		return m->stack[--m->depth];
	m->is_other = true;
	return (struct value){0};
}

static void pick(struct machine *m, unsigned below)
{
	if (m->depth > below)
		push(m, m->stack[m->depth - 1 - below]);
	else
		m->is_other = true;
}

static void push_register(struct machine *m, uint64_t column)
{
	int64_t k = bytes_sleb(&m->code);
	if (column == COLUMN_RETURN && !MACHINE_HAS_LINK)
		push_number(m, m->ip + (uint64_t)k);
	else if (column == COLUMN_SP || column == COLUMN_FP)
		push(m, (struct value){.k = k, .base = column == COLUMN_SP ? BASE_SP : BASE_FP});
	else
		m->is_other = true;
}

static void add(struct machine *m, uint64_t number)
{
	struct value value = pop(m);
	int64_t sum = (int64_t)((value.is_read ? (uint64_t)value.j : (uint64_t)value.k) + number);
	if (value.is_read)
		m->is_other |= (value.j = (int32_t)sum) != sum;
	else
		value.k = sum;
	push(m, value);
}

static void dereference(struct machine *m)
{
	struct value value = pop(m);
	if (value.is_read || value.base == BASE_NUMBER)
		m->is_other = true;
	value.is_read = true;
	push(m, value);
}

static void swap(struct machine *m)
{
	struct value upper = pop(m), lower = pop(m);
	push(m, upper);
	push(m, lower);
}

static int64_t shift(uint8_t op, int64_t a, int64_t b)
{
	bool is_far = (uint64_t)b > 63;
	switch (op) {
	case OP_SHL: return is_far ? 0 : (int64_t)((uint64_t)a << b);
	case OP_SHR: return is_far ? 0 : (int64_t)((uint64_t)a >> b);
	default: return a >> (is_far ? 63 : b);
	}
}

static int64_t compute(struct machine *m, uint8_t op, int64_t a, int64_t b)
{
	switch (op) {
	case OP_AND: return a & b;
	case OP_OR: return a | b;
	case OP_XOR: return a ^ b;
	case OP_MUL: return (int64_t)((uint64_t)a * (uint64_t)b);
	case OP_SHL:
	case OP_SHR:
	case OP_SHRA: return shift(op, a, b);
	case OP_EQ: return a == b;
	case OP_GE: return a >= b;
	case OP_GT: return a > b;
	case OP_LE: return a <= b;
	case OP_LT: return a < b;
	case OP_NE: return a != b;
	default: m->is_other = true; return 0;
	}
}

static bool is_number(struct value value)
{
	return value.base == BASE_NUMBER && !value.is_read;
}

static void combine(struct machine *m, uint8_t op)
{
	struct value b = pop(m), a = pop(m);
	if (op == OP_PLUS && is_number(a)) {
		push(m, b);
		add(m, (uint64_t)a.k);
	} else if ((op == OP_PLUS || op == OP_MINUS) && is_number(b)) {
		push(m, a);
		add(m, op == OP_PLUS ? (uint64_t)b.k : -(uint64_t)b.k);
	} else if (is_number(a) && is_number(b)) {
		push_number(m, (uint64_t)compute(m, op, a.k, b.k));
	} else {
		m->is_other = true;
	}
}

/* DW_OP_const1u, const1s, const2u ... const8s */
static void push_constant(struct machine *m, uint8_t op)
{
	unsigned size = 1U << (op - OP_CONST1U) / 2;
	bool is_signed = (op - OP_CONST1U) & 1;
	push_number(m, is_signed ? (uint64_t)bytes_signed(&m->code, size)
				 : bytes_number(&m->code, size));
}

static void run_ranges(struct machine *m, uint8_t op)
{
	if (op >= OP_LIT0 && op <= OP_LIT31)
		push_number(m, op - OP_LIT0);
	else if (op >= OP_BREG0 && op <= OP_BREG31)
		push_register(m, op - OP_BREG0);
	else if (op >= OP_CONST1U && op <= OP_CONST8S)
		push_constant(m, op);
	else
		combine(m, op);
}

static void run(struct machine *m)
{
	uint8_t op = bytes_byte(&m->code);
	switch (op) {
	case OP_ADDR: push_number(m, bytes_number(&m->code, 8)); break;
	case OP_CONSTU: push_number(m, bytes_uleb(&m->code)); break;
	case OP_CONSTS: push_number(m, (uint64_t)bytes_sleb(&m->code)); break;
	case OP_BREGX: push_register(m, bytes_uleb(&m->code)); break;
	case OP_PLUS_UCONST: add(m, bytes_uleb(&m->code)); break;
	case OP_DEREF: dereference(m); break;
	case OP_DUP: pick(m, 0); break;
	case OP_OVER: pick(m, 1); break;
	case OP_DROP: pop(m); break;
	case OP_SWAP: swap(m); break;
	case OP_NOP: break;
	default: run_ranges(m, op);
	}
}

struct rule rule_of(enum rule_kind kind, enum rule_base base, int64_t k)
{
	if (base == BASE_NUMBER || k != (int32_t)k)
		kind = RULE_OTHER;
	return (struct rule){.k = (int32_t)k, .base = (uint8_t)base, .kind = (uint8_t)kind};
}

struct rule expression_rule(struct bytes expression, uintptr_t ip, bool has_cfa)
{
	struct machine m;
	m.code = expression;
	m.ip = ip;
	m.depth = 0;
	m.is_other = bytes_is_spoiled(&expression);
	if (has_cfa)
		push(&m, (struct value){.base = BASE_CFA});
	while (m.code.at < m.code.end && !m.is_other)
		run(&m);
	struct value value = pop(&m);
	struct rule rule = rule_of(value.is_read ? RULE_AT : RULE_IS, value.base, value.k);
	rule.j = (int16_t)value.j;
	if (m.is_other || bytes_is_spoiled(&m.code) || rule.j != value.j)
		rule.kind = RULE_OTHER;
	return rule;
}
