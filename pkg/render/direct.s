// A function of another package, libraryFieldSpecs, has no body here: that needs this file.
