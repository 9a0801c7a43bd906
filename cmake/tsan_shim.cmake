# ThreadSanitizer cannot see CK's inline assembly, nor the plain volatile accesses of its portable
# form.  So a tsan build reads copies of CK's three atomic headers in which those accesses are
# atomic builtins.  That makes them stronger than CK's own; whether CK fences enough is CK's affair.
# In the fourth, the ring, a consumer copies a slot that the producer may be filling again, and
# throws the copy away when it finds that it lost: relaxed atomics there, for slots of one pointer.
# The copies are made from the installed headers, and a header that no longer has the lines we
# replace stops the configuration: a shim that silently patches nothing would be worse than none.

function(thespis_shim_replace text_var from to)
    string(FIND "${${text_var}}" "${from}" at)
    if(at EQUAL -1)
        message(FATAL_ERROR "tsan shim: the headers of this CK lack: ${from}")
    endif()
    string(REPLACE "${from}" "${to}" text "${${text_var}}")
    set(${text_var} "${text}" PARENT_SCOPE)
endfunction()

# Written only when it differs, so that configuring again rebuilds nothing.
function(thespis_shim_write target text)
    if(EXISTS ${target})
        file(READ ${target} before)
    endif()
    if(NOT "${before}" STREQUAL "${text}")
        file(WRITE ${target} "${text}")
    endif()
endfunction()

function(thespis_tsan_shim dir)
    file(MAKE_DIRECTORY ${dir}/gcc)
    configure_file(${CK_INCLUDE_DIR}/ck_pr.h ${dir}/ck_pr.h COPYONLY)
    configure_file(${CK_INCLUDE_DIR}/gcc/ck_f_pr.h ${dir}/gcc/ck_f_pr.h COPYONLY)

    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        ${CK_INCLUDE_DIR}/gcc/ck_pr.h)
    file(READ ${CK_INCLUDE_DIR}/gcc/ck_pr.h text)
    thespis_shim_replace(text
        "r = CK_PR_ACCESS(*(const T *)target);"
        "r = __atomic_load_n((const T *)target, __ATOMIC_ACQUIRE);")
    thespis_shim_replace(text
        "CK_PR_ACCESS(*(T *)target) = v;"
        "__atomic_store_n((T *)target, v, __ATOMIC_RELEASE);")
    thespis_shim_replace(text
        "r = CK_CC_DECONST_PTR(*(volatile void *const*)(target));"
        "r = __atomic_load_n((void *const *)target, __ATOMIC_ACQUIRE);")
    thespis_shim_replace(text
        "*(volatile void **)target = CK_CC_DECONST_PTR(v);"
        "__atomic_store_n((void **)target, CK_CC_DECONST_PTR(v), __ATOMIC_RELEASE);")
    thespis_shim_write(${dir}/gcc/ck_pr.h "${text}")

    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CK_INCLUDE_DIR}/ck_ring.h)
    file(READ ${CK_INCLUDE_DIR}/ck_ring.h text)
    thespis_shim_replace(text
        "memcpy(data, target, ts);"
        "*(void **)data = __atomic_load_n((void *const *)(const void *)target, __ATOMIC_RELAXED);")
    thespis_shim_replace(text
        "memcpy(buffer, entry, ts);"
        "__atomic_store_n((void **)buffer, *(void *const *)entry, __ATOMIC_RELAXED);")
    thespis_shim_write(${dir}/ck_ring.h "${text}")
endfunction()
