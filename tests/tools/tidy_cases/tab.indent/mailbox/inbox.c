int a[] = {
	1
};
