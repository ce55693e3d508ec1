/* planted.bats makes variants of this: -DONE, -DLEAK, -DPEAK.  The line that is to be named holds PLANTED. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static void *volatile kept;
static char *table;

static PyObject *run(PyObject *self, PyObject *args)
{
	(void)self;
	(void)args;
	table = PyMem_RawMalloc(4000000);
	for (int i = 0; i < 1000000; i++) {
		kept = PyMem_RawMalloc(32 + (size_t)(i % 100));
		PyMem_RawFree(kept);
	}
#ifdef ONE
	PyMem_RawFree(PyMem_RawMalloc(64)); /* PLANTED */
#endif
#ifdef LEAK
	kept = malloc(1024); /* PLANTED */
#endif
#ifdef PEAK
	free(malloc(81920)); /* PLANTED */
#endif
	kept = NULL;
	PyMem_RawFree(table);
	Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"run", run, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "extension", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_extension(void)
{
	return PyModule_Create(&module);
}
