@rem The scripts in package.json say `exec node ...`, so that no shell stands between npm and the program when npm passes a
@rem signal on. cmd.exe has no exec; it finds this file instead, which runs the rest of the line.
@%*
