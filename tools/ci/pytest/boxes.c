/* SPDX-License-Identifier: MIT */
/* boxes.c: a C extension: make(n) hands out n blocks and gives them back; leak(n) does not. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *hand_out(PyObject *arguments, int is_leak)
{
	int count;

	if (!PyArg_ParseTuple(arguments, "i", &count))
		return NULL;
	for (int i = 0; i < count; i++) {
		void *volatile block = malloc(1000);
		if (!is_leak)
			free(block);
	}
	Py_RETURN_NONE;
}

static PyObject *make(PyObject *self, PyObject *arguments)
{
	(void)self;
	return hand_out(arguments, 0);
}

static PyObject *leak(PyObject *self, PyObject *arguments)
{
	(void)self;
	return hand_out(arguments, 1);
}

static PyMethodDef methods[] = {
	{"make", make, METH_VARARGS, "hands out so many blocks and gives them back"},
	{"leak", leak, METH_VARARGS, "hands out so many blocks"},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "boxes", NULL, -1, methods,
					NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_boxes(void)
{
	return PyModule_Create(&definition);
}
