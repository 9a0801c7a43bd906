int FIXME;
