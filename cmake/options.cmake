# What a builder may choose, and the warnings that every file must be free of.
option(COWGATE_TESTS "Build the test suites" ON)
option(COWGATE_BENCH "Build the benchmark programs" ON)
option(COWGATE_WERROR "Treat warnings as errors" OFF)
option(COWGATE_FUZZ "Build the fuzzers (clang only)" OFF)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
	set(email ON)
else()
	set(email AUTO)
endif()
set(COWGATE_EMAIL ${email} CACHE STRING "The email channel: ON, OFF, or AUTO (when its libraries are here)")
set_property(CACHE COWGATE_EMAIL PROPERTY STRINGS ON OFF AUTO)
set(COWGATE_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined")

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

include(GNUInstallDirs)
# What is not said to be for plugin authors is the program.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME cowgate)
set(COWGATE_PLUGIN_DIR "${CMAKE_INSTALL_LIBDIR}/cowgate")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes
	-Wstrict-prototypes -Wvla -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings)
if(COWGATE_WERROR)
	add_compile_options(-Werror)
endif()
# Files of any size on 32 bits, too.  The width of time_t stays the system's: libevent is called
# with its struct timeval, so it must be the one that libevent was built with (64 bits from
# Debian 13 on; before that 32, until 2038, as in everything else on such a system).
add_compile_definitions(_POSIX_C_SOURCE=200809L _DEFAULT_SOURCE _DARWIN_C_SOURCE
	_FILE_OFFSET_BITS=64)
if(COWGATE_SANITIZE)
	add_compile_options(-fsanitize=${COWGATE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
	add_link_options(-fsanitize=${COWGATE_SANITIZE})
	add_compile_definitions(COWGATE_SANITIZED)
else()
	add_compile_options(-fstack-protector-strong)
	if(CMAKE_BUILD_TYPE MATCHES "Rel")
		add_compile_definitions(_FORTIFY_SOURCE=2)
	endif()
endif()
if(COWGATE_FUZZ)
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# No believable clock is earlier than the build; reproducible builds fix it by SOURCE_DATE_EPOCH.
# Else it is when the tree was configured first: a later one would be another program each time.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
	set(built "$ENV{SOURCE_DATE_EPOCH}")
else()
	if(NOT DEFINED COWGATE_CONFIGURED)
		string(TIMESTAMP now "%s" UTC)
		set(COWGATE_CONFIGURED ${now} CACHE INTERNAL "seconds since the epoch")
	endif()
	set(built ${COWGATE_CONFIGURED})
endif()
set(COWGATE_BUILT_MS "INT64_C(${built}000)")

# Link-time optimisation on as many cores as there are, which gcc must be told.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	set(CMAKE_C_COMPILE_OPTIONS_IPO -flto=auto -fno-fat-lto-objects)
endif()
