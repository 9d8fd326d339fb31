# SPDX-License-Identifier: AGPL-3.0-or-later
# cmake -DFROM=file -DTO=header -DNAME=array -P embed.cmake: the bytes of a file as a C array, with no 0 at the end.
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${TO} "static const unsigned char ${NAME}[] = {${bytes}};\n")
