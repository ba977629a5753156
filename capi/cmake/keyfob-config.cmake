# find_package(keyfob) gives keyfob::keyfob, the shared library, and keyfob::static.
if(TARGET keyfob::keyfob)
    return()
endif()
get_filename_component(keyfob_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

add_library(keyfob::keyfob SHARED IMPORTED)
set_target_properties(keyfob::keyfob PROPERTIES
    IMPORTED_LOCATION "${keyfob_prefix}/lib/libkeyfob.so.0"
    IMPORTED_SONAME libkeyfob.so.0
    INTERFACE_INCLUDE_DIRECTORIES "${keyfob_prefix}/include")

find_package(Threads REQUIRED)
add_library(keyfob::static STATIC IMPORTED)
set_target_properties(keyfob::static PROPERTIES
    IMPORTED_LOCATION "${keyfob_prefix}/lib/libkeyfob.a"
    INTERFACE_INCLUDE_DIRECTORIES "${keyfob_prefix}/include"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
