/* SPDX-License-Identifier: MIT */
/* row.c: runs the call frame instructions of a record up to one instruction of the program. */
#include "stack/row.h"

#include "stack/machine.h"

enum { REMEMBERED_MAX = 2 };

enum {
	CFA_NOP,
	CFA_SET_LOC,
	CFA_ADVANCE_LOC1,
	CFA_ADVANCE_LOC2,
	CFA_ADVANCE_LOC4,
	CFA_OFFSET_EXTENDED,
	CFA_RESTORE_EXTENDED,
	CFA_UNDEFINED,
	CFA_SAME_VALUE,
	CFA_REGISTER,
	CFA_REMEMBER_STATE,
	CFA_RESTORE_STATE,
	CFA_DEF_CFA,
	CFA_DEF_CFA_REGISTER,
	CFA_DEF_CFA_OFFSET,
	CFA_DEF_CFA_EXPRESSION,
	CFA_EXPRESSION,
	CFA_OFFSET_EXTENDED_SF,
	CFA_DEF_CFA_SF,
	CFA_DEF_CFA_OFFSET_SF,
	CFA_VAL_OFFSET,
	CFA_VAL_OFFSET_SF,
	CFA_VAL_EXPRESSION,
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET_EXTENDED,
	CFA_ADVANCE_LOC = 0x40, /* these three: the lower six bits are the operand */
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0
};

struct machine {
	const struct fde *fde;
	struct bytes code;
	uintptr_t pc, ip;
	uintptr_t location; /* where the row begins to hold */
	unsigned depth;     /* of remembered */
	bool is_bad;
	struct row row, first; /* as the CIE left it */
	struct row remembered[REMEMBERED_MAX];
};

static const struct rule rule_same = {.kind = RULE_SAME}, rule_other = {.kind = RULE_OTHER};

/* The rule of a register in `row`.  NULL: not followed. */
static struct rule *rule_in(struct row *row, uint64_t column)
{
	switch (column) {
	case COLUMN_FP: return &row->fp;
	case COLUMN_SP: return &row->sp;
	case COLUMN_RETURN: return &row->ip;
	default: return NULL;
	}
}

static void set(struct machine *m, uint64_t column, struct rule rule)
{
	struct rule *known = rule_in(&m->row, column);
	if (known)
		*known = rule;
}

static void set_kind(struct machine *m, uint64_t column, enum rule_kind kind)
{
	set(m, column, (struct rule){.kind = (uint8_t)kind});
}

static void restore(struct machine *m, uint64_t column)
{
	struct rule *first = rule_in(&m->first, column);
	set(m, column, first ? *first : rule_same);
}

/* Offsets are stored in units; their product may not overflow. */
static int64_t scaled(const struct machine *m, int64_t units)
{
	int64_t offset;
	return __builtin_mul_overflow(units, m->fde->data_unit, &offset) ? INT64_MAX : offset;
}

static void set_offset(struct machine *m, uint64_t column, enum rule_kind kind, int64_t units)
{
	set(m, column, rule_of(kind, BASE_CFA, scaled(m, units)));
}

static struct bytes take_expression(struct machine *m)
{
	uint64_t size = bytes_uleb(&m->code);
	return bytes_part(&m->code, size);
}

/* The register is saved where the expression says; what had to be read to learn that is too far. */
static void set_expression(struct machine *m, uint64_t column)
{
	struct rule rule = expression_rule(take_expression(m), m->ip, true);
	rule.kind = rule.kind == RULE_IS ? RULE_AT : RULE_OTHER;
	set(m, column, rule);
}

static void set_value_expression(struct machine *m, uint64_t column)
{
	set(m, column, expression_rule(take_expression(m), m->ip, true));
}

static enum rule_base base_of(uint64_t column)
{
	return column == COLUMN_SP ? BASE_SP : column == COLUMN_FP ? BASE_FP : BASE_OTHER;
}

static void define_cfa(struct machine *m, uint64_t column, int64_t offset)
{
	m->row.cfa = rule_of(RULE_IS, base_of(column), offset);
}

static void define_register(struct machine *m, uint64_t column)
{
	if (m->row.cfa.kind == RULE_IS)
		m->row.cfa.base = (uint8_t)base_of(column);
	else
		m->row.cfa = rule_other;
}

static void define_offset(struct machine *m, int64_t offset)
{
	bool is_ours = m->row.cfa.kind == RULE_IS;
	m->row.cfa = is_ours ? rule_of(RULE_IS, m->row.cfa.base, offset) : rule_other;
}

static void remember(struct machine *m)
{
	if (m->depth == REMEMBERED_MAX)
		m->is_bad = true;
	else
		m->remembered[m->depth++] = m->row;
}

static void recall(struct machine *m)
{
	if (m->depth)
		m->row = m->remembered[--m->depth];
	else
		m->is_bad = true;
}

static void advance(struct machine *m, uint64_t units)
{
	m->location += units * m->fde->code_unit;
}

static void run_cfa(struct machine *m, uint8_t op)
{
	uint64_t column;
	switch (op) {
	case CFA_DEF_CFA:
		column = bytes_uleb(&m->code);
		define_cfa(m, column, (int64_t)bytes_uleb(&m->code));
		break;
	case CFA_DEF_CFA_SF:
		column = bytes_uleb(&m->code);
		define_cfa(m, column, scaled(m, bytes_sleb(&m->code)));
		break;
	case CFA_DEF_CFA_REGISTER: define_register(m, bytes_uleb(&m->code)); break;
	case CFA_DEF_CFA_OFFSET: define_offset(m, (int64_t)bytes_uleb(&m->code)); break;
	case CFA_DEF_CFA_OFFSET_SF: define_offset(m, scaled(m, bytes_sleb(&m->code))); break;
	case CFA_DEF_CFA_EXPRESSION:
		m->row.cfa = expression_rule(take_expression(m), m->ip, false);
		break;
	default: m->is_bad = op != MACHINE_CFA_OP; /* else of another machine, or of tomorrow */
	}
}

/* Instructions whose first operand is a register. */
static void run_register(struct machine *m, uint8_t op)
{
	uint64_t column = bytes_uleb(&m->code);
	switch (op) {
	case CFA_OFFSET_EXTENDED:
		set_offset(m, column, RULE_AT, (int64_t)bytes_uleb(&m->code));
		break;
	case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
		set_offset(m, column, RULE_AT, -(int64_t)bytes_uleb(&m->code));
		break;
	case CFA_OFFSET_EXTENDED_SF: set_offset(m, column, RULE_AT, bytes_sleb(&m->code)); break;
	case CFA_VAL_OFFSET: set_offset(m, column, RULE_IS, (int64_t)bytes_uleb(&m->code)); break;
	case CFA_VAL_OFFSET_SF: set_offset(m, column, RULE_IS, bytes_sleb(&m->code)); break;
	case CFA_RESTORE_EXTENDED: restore(m, column); break;
	case CFA_UNDEFINED: set_kind(m, column, RULE_UNDEFINED); break;
	case CFA_SAME_VALUE: set_kind(m, column, RULE_SAME); break;
	case CFA_EXPRESSION: set_expression(m, column); break;
	case CFA_VAL_EXPRESSION: set_value_expression(m, column); break;
	default: /* CFA_REGISTER */ bytes_uleb(&m->code); set(m, column, rule_other);
	}
}

static void run_plain(struct machine *m, uint8_t op)
{
	switch (op) {
	case CFA_NOP: break;
	case CFA_SET_LOC: m->location = bytes_pointer(&m->code, m->fde->encoding, 0); break;
	case CFA_ADVANCE_LOC1: advance(m, bytes_number(&m->code, 1)); break;
	case CFA_ADVANCE_LOC2: advance(m, bytes_number(&m->code, 2)); break;
	case CFA_ADVANCE_LOC4: advance(m, bytes_number(&m->code, 4)); break;
	case CFA_REMEMBER_STATE: remember(m); break;
	case CFA_RESTORE_STATE: recall(m); break;
	case CFA_GNU_ARGS_SIZE: bytes_uleb(&m->code); break;
	case CFA_OFFSET_EXTENDED:
	case CFA_RESTORE_EXTENDED:
	case CFA_UNDEFINED:
	case CFA_SAME_VALUE:
	case CFA_REGISTER:
	case CFA_EXPRESSION:
	case CFA_OFFSET_EXTENDED_SF:
	case CFA_VAL_OFFSET:
	case CFA_VAL_OFFSET_SF:
	case CFA_VAL_EXPRESSION:
	case CFA_GNU_NEGATIVE_OFFSET_EXTENDED: run_register(m, op); break;
	default: run_cfa(m, op);
	}
}

static void run(struct machine *m)
{
	uint8_t op = bytes_byte(&m->code), operand = op & 0x3f;
	switch (op & 0xc0) {
	case CFA_ADVANCE_LOC: advance(m, operand); break;
	case CFA_OFFSET: set_offset(m, operand, RULE_AT, (int64_t)bytes_uleb(&m->code)); break;
	case CFA_RESTORE: restore(m, operand); break;
	default: run_plain(m, op);
	}
}

/* Until the rows are about what lies behind pc. */
static bool run_all(struct machine *m, struct bytes code)
{
	m->code = code;
	while (m->location <= m->pc && !m->is_bad && m->code.at < m->code.end)
		run(m);
	return !m->is_bad && !bytes_is_spoiled(&m->code);
}

bool row_find(const struct fde *fde, uintptr_t pc, uintptr_t ip, struct row *ret)
{
	struct machine m;
	m.fde = fde;
	m.pc = pc;
	m.ip = ip;
	m.location = fde->start;
	m.depth = 0;
	m.is_bad = false;
	m.row = (struct row){.cfa = {.kind = RULE_OTHER}};
	m.first = m.row;
	if (!run_all(&m, fde->shared))
		return false;
	m.first = m.row;
	if (!run_all(&m, fde->own))
		return false;
	*ret = m.row;
	return true;
}
